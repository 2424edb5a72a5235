import { describe, expect, it } from 'vitest';
import { FRAME, Framer, JitterBuffer } from '../audio/frames';
import { level, Resampler, toPcm16 } from '../audio/resampler';

const tone = (hz: number, rate: number, seconds: number) =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));

/** In pieces as the audio thread gets them. */
function run(resampler: Resampler, input: Float32Array, piece = 128): Float32Array {
  const out: number[] = [];
  for (let at = 0; at < input.length; at += piece) out.push(...resampler.process(input.slice(at, at + piece)));
  return Float32Array.from(out);
}

/** How far the signal is from the best fitting tone of that frequency, in dB below it. */
function distortion(samples: Float32Array, hz: number, rate: number): number {
  let [a, b] = [0, 0];
  samples.forEach((s, i) => {
    a += (2 * s * Math.sin((2 * Math.PI * hz * i) / rate)) / samples.length;
    b += (2 * s * Math.cos((2 * Math.PI * hz * i) / rate)) / samples.length;
  });
  const rest = samples.map((s, i) => s - a * Math.sin((2 * Math.PI * hz * i) / rate) - b * Math.cos((2 * Math.PI * hz * i) / rate));
  return level(rest) - level(samples);
}

describe('Resampler', () => {
  it.each([48000, 44100, 16000])('%i → 8000 keeps a tone of 1 kHz clean, and its length', (rate) => {
    const out = run(new Resampler(rate, 8000), tone(1000, rate, 1));
    expect(Math.abs(out.length - 8000)).toBeLessThan(40);
    const inner = out.slice(400, 7600);
    expect(level(inner)).toBeCloseTo(level(tone(1000, 8000, 1)), 1);
    expect(distortion(inner, 1000, 8000)).toBeLessThan(-35);
  });

  it('takes out what 8 kHz cannot carry instead of folding it', () => {
    expect(level(run(new Resampler(48000, 8000), tone(6000, 48000, 0.5)).slice(400))).toBeLessThan(-60);
  });

  it('goes up to the loudspeaker without images', () => {
    const out = run(new Resampler(8000, 48000), tone(1000, 8000, 1), FRAME);
    expect(distortion(out.slice(4800, 43200), 1000, 48000)).toBeLessThan(-35);
  });

  it('gives the same samples however the input is cut', () => {
    const input = tone(700, 44100, 0.2);
    const whole = run(new Resampler(44100, 8000), input, input.length);
    const cut = run(new Resampler(44100, 8000), input, 37);
    expect(Math.abs(cut.length - whole.length)).toBeLessThanOrEqual(1);
    for (let i = 0; i < Math.min(cut.length, whole.length); ++i) expect(cut[i]).toBeCloseTo(whole[i] as number, 2);
  });

  it('refuses a rate of zero', () => {
    expect(() => new Resampler(0, 8000)).toThrow();
  });
});

describe('PCM', () => {
  it('clips instead of wrapping', () => {
    expect([...toPcm16([0, 1, -1, 2, -2])]).toEqual([0, 32767, -32767, 32767, -32767]);
  });
  it('measures silence and full scale', () => {
    expect(level([])).toBe(-90);
    expect(level([0, 0])).toBe(-90);
    expect(level([1, -1])).toBeCloseTo(0);
  });
});

describe('Framer', () => {
  it('cuts frames of 160 and keeps the rest', () => {
    const framer = new Framer();
    const frames: Float32Array[] = [];
    const input = Float32Array.from({ length: 500 }, (_, i) => i);
    framer.push(input.slice(0, 150), (f) => frames.push(f));
    expect(frames).toHaveLength(0);
    framer.push(input.slice(150), (f) => frames.push(f));
    expect(frames.map((f) => [f.length, f[0]])).toEqual([[FRAME, 0], [FRAME, 160], [FRAME, 320]]);
  });
});

describe('JitterBuffer', () => {
  const frame = (n: number) => new Int16Array([n]);
  it('waits for 80 ms, plays in order, and waits again after running dry', () => {
    const buffer = new JitterBuffer();
    [1, 2, 3].forEach((n) => buffer.push(frame(n)));
    expect(buffer.pop()).toBeNull();
    buffer.push(frame(4));
    expect([1, 2, 3, 4].map(() => buffer.pop()?.[0])).toEqual([1, 2, 3, 4]);
    expect(buffer.pop()).toBeNull();
    expect(buffer.dry).toBe(1);
    buffer.push(frame(5));
    expect(buffer.pop()).toBeNull();
  });
  it('drops the oldest when a burst would make it late', () => {
    const buffer = new JitterBuffer(4, 12);
    for (let n = 1; n <= 13; ++n) buffer.push(frame(n));
    expect(buffer.depth).toBe(4);
    expect(buffer.dropped).toBe(9);
    expect(buffer.pop()?.[0]).toBe(10);
  });
});
