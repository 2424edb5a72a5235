"""Stands between the system and a phone: loses packets, adds noise, lets the bot's voice echo, and knows when each of its packets came."""
import bisect
import collections
import random
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from sound import alaw  # demo/

SO_TIMESTAMPNS = 35  # of Linux: the kernel's time of arrival, whatever this program was doing meanwhile
PCMA = 8
SORTED = sorted((alaw(code), code) for code in range(256))
VALUES = [value for value, _ in SORTED]
DECODE = [alaw(code) for code in range(256)]
QUIET = 0xD5  # silence in A-law
METRONOME = "import socket, sys, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nwhile True: s.sendto(b'', ('127.0.0.1', int(sys.argv[1]))); time.sleep(0.02)"


def arrival(extra):
    """The kernel's time of arrival (time.time()) in a datagram's ancillary data."""
    stamp = next((struct.unpack("qq", body[:16]) for _, kind, body in extra if kind == SO_TIMESTAMPNS), None)
    return stamp[0] + stamp[1] / 1e9 if stamp else time.time()


def encode(sample):
    """The nearest A-law code."""
    at = min(max(bisect.bisect_left(VALUES, sample), 1), 255)
    nearer = at if VALUES[at] - sample < sample - VALUES[at - 1] else at - 1
    return SORTED[nearer][1]


def port_pair():
    """Sockets on an even port and the odd one above it."""
    for _ in range(100):
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtp.bind(("127.0.0.1", 0))
        port = rtp.getsockname()[1]
        try:
            if port % 2 == 0:
                rtcp.bind(("127.0.0.1", port + 1))
                rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                return rtp, rtcp
        except OSError:
            pass
        rtp.close()
        rtcp.close()
    raise RuntimeError("no pair of free UDP ports on 127.0.0.1")


class Relay:
    """Dial `uri` instead of the phone's. INVITE and its answers pass here, with the audio's port exchanged for one of ours;
    later requests go the straight way. loss: share of RTP packets lost, both ways. echo_db: how loud the bot comes back.
    noise_dbov: of white noise on the way to the system."""

    def __init__(self, phone, loss=0.0, echo_db=None, echo_ms=150, noise_dbov=None, seed=1):
        self.phone_at = ("127.0.0.1", phone.sip)
        self.user, self.loss, self.echo_ms = phone.user, loss, echo_ms
        self.echo = 0.0 if echo_db is None else 10 ** (echo_db / 20)
        self.rng = random.Random(seed)
        amplitude = 0.0 if noise_dbov is None else 32768 * 10 ** (noise_dbov / 20)
        self.noise = [int(self.rng.gauss(0, amplitude)) for _ in range(8000)] if amplitude else None
        self.arrivals, self.beats = [], []  # when each of the bot's packets came, and of the metronome's
        self.passed = self.lost = 0
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind(("127.0.0.1", 0))
        self.to_system, self.system_rtcp = port_pair()  # the phone's audio as the system sees it
        self.to_phone, self.phone_rtcp = port_pair()    # the system's audio as the phone sees it
        self.system_at = self.system_audio = self.phone_audio = None
        self.delayed = collections.deque(maxlen=200)
        self.over = threading.Event()
        self.metronome_in = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.metronome_in.bind(("127.0.0.1", 0))
        self.metronome_in.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.metronome = subprocess.Popen([sys.executable, "-c", METRONOME, str(self.metronome_in.getsockname()[1])], stdin=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @property
    def uri(self):
        return f"sip:{self.user}@127.0.0.1:{self.sip.getsockname()[1]}"

    def run(self):
        all_of_them = [self.sip, self.to_system, self.to_phone, self.system_rtcp, self.phone_rtcp, self.metronome_in]
        while not self.over.is_set():
            for ready in select.select(all_of_them, [], [], 0.2)[0]:
                data, extra, _, sender = ready.recvmsg(65536, 256)
                if ready is self.sip:
                    self.signalling(data, sender)
                elif ready is self.to_system:
                    self.from_bot(data, extra)
                elif ready is self.to_phone:
                    self.from_phone(data)
                elif ready is self.metronome_in:
                    self.beats.append(arrival(extra))
        for one in all_of_them:
            one.close()

    def signalling(self, data, sender):
        if sender == self.phone_at:
            if self.system_at:
                data, self.phone_audio = exchange_port(data, self.to_system.getsockname()[1], self.phone_audio)
                self.sip.sendto(data, self.system_at)
            return
        self.system_at = sender
        data, self.system_audio = exchange_port(data, self.to_phone.getsockname()[1], self.system_audio)
        self.sip.sendto(data, self.phone_at)

    def from_bot(self, data, extra):
        self.arrivals.append(arrival(extra))
        if self.echo and data[1] & 127 == PCMA:
            self.delayed.append((time.monotonic() + self.echo_ms / 1000, data[12:]))
        if self.phone_audio and not self.drop():
            self.to_phone.sendto(data, ("127.0.0.1", self.phone_audio))

    def from_phone(self, data):
        if (self.echo or self.noise) and data[1] & 127 == PCMA:
            data = data[:12] + self.mixed(data[12:])
        if self.system_audio and not self.drop():
            self.to_system.sendto(data, ("127.0.0.1", self.system_audio))

    def mixed(self, own):
        sound = [DECODE[a] for a in own]
        if self.delayed and self.delayed[0][0] <= time.monotonic():
            bot = self.delayed.popleft()[1].ljust(len(own), bytes([QUIET]))
            sound = [a + int(DECODE[b] * self.echo) for a, b in zip(sound, bot)]
        elif not self.noise:
            return own
        if self.noise:
            at = self.rng.randrange(len(self.noise) - len(sound))
            sound = [a + b for a, b in zip(sound, self.noise[at:])]
        return bytes(encode(a) for a in sound)

    def drop(self):
        gone = self.rng.random() < self.loss
        self.lost += gone
        self.passed += not gone
        return gone

    def worst_gap_ms(self, since, until):
        """The longest time without a packet of the bot between two times (time.time()), ends included; and their number. What
        the machine itself stood still (another program beat no faster) is taken off."""
        times = [at for at in list(self.arrivals) if since <= at <= until]
        marks = [since, *times, until]
        start, worst = max(zip(marks, marks[1:]), key=lambda pair: pair[1] - pair[0])
        return max(0.0, worst - start - self.stalled_s(start, worst)) * 1000, len(times)

    def stalled_s(self, since, until):
        """How long a program that does nothing but wait 20 ms was kept from running, in stalls of 100 ms and more."""
        marks = [since, *(at for at in list(self.beats) if since <= at <= until), until]
        return sum(b - a - 0.02 for a, b in zip(marks, marks[1:]) if b - a > 0.1)

    def stop(self):
        self.metronome.kill()
        self.metronome.wait()
        self.over.set()
        self.thread.join(2)


def exchange_port(message, ours, before):
    """The SIP message with our port as its audio's, and the port that it named (`before` when it names none)."""
    head, gap, body = message.partition(b"\r\n\r\n")
    named = re.search(rb"^m=audio (\d+)", body, re.M)
    if not named or named[1] == b"0":
        return message, before
    body = re.sub(rb"^m=audio \d+", b"m=audio %d" % ours, body, flags=re.M)
    body = re.sub(rb"^a=rtcp:[^\r\n]*\r\n", b"", body, flags=re.M)
    head = re.sub(rb"^(Content-Length|l):[^\r\n]*", b"Content-Length: %d" % len(body), head, flags=re.M | re.I)
    return head + gap + body, int(named[1])
