"""Sound as a telephone has it: levels, A-law, WAV files, 8 kHz. Only the standard library."""
import array
import math
import struct

RATE = 8000


def level(block):
    """dBov of a block of samples."""
    if not block:
        return -96.0
    power = sum(s * s for s in block) / len(block)
    return 10 * math.log10(power / 32768.0 ** 2) if power > 0 else -96.0


def alaw(code):
    """One A-law code (ITU-T G.711) as a 16-bit sample."""
    code ^= 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return size if code & 0x80 else -size


def read_wav(data):
    """Rate, channels and samples of a WAV: 16-bit PCM or A-law."""
    at, rate, channels, kind, samples = 12, 8000, 1, 1, array.array("h")
    while at + 8 <= len(data):
        name, size = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8:at + 8 + size]
        if name == b"fmt ":
            kind, channels, rate = struct.unpack_from("<HHI", body)
        elif name == b"data" and kind == 6:
            samples = array.array("h", (alaw(code) for code in body))
        elif name == b"data":
            samples.frombytes(body[:len(body) & ~1])
        at += 8 + size + (size & 1)
    return rate, channels, samples


def low_pass(rate):
    """Windowed-sinc low-pass at 3.4 kHz (the telephone's upper edge, ITU-T G.712) for sound of this rate."""
    half = 4 * rate // RATE * 4
    cut = 3400.0 / rate
    taps = []
    for i in range(-half, half + 1):
        sinc = 2 * cut if i == 0 else math.sin(2 * math.pi * cut * i) / (math.pi * i)
        taps.append(sinc * (0.54 + 0.46 * math.cos(math.pi * i / half)))
    total = sum(taps)
    return [t / total for t in taps]


def telephone(data):
    """8 kHz samples of a WAV, without the aliases that a recogniser would stumble over."""
    rate, channels, samples = read_wav(data)
    samples = samples[::channels]
    if rate == RATE:
        return samples
    taps = low_pass(rate)
    half = len(taps) // 2
    padded = array.array("h", bytes(2 * half)) + samples + array.array("h", bytes(2 * half))
    out = array.array("h")
    for i in range(len(samples) * RATE // rate):
        at = i * rate // RATE
        value = sum(map(float.__mul__, taps, map(float, padded[at:at + len(taps)])))
        out.append(max(-32768, min(32767, int(value))))
    return out
