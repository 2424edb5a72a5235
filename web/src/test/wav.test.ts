import { describe, expect, it } from 'vitest';
import { durationMs, parseWav, peaks } from '../model/wav';

function wav(frames: [number, number][], { claimed = frames.length * 4, extra = true } = {}): ArrayBuffer {
  const lead = extra ? 12 + 24 + 8 + 3 + 1 : 12 + 24;
  const view = new DataView(new ArrayBuffer(lead + 8 + frames.length * 4));
  const text = (at: number, s: string) => [...s].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, 'RIFF');
  text(8, 'WAVE');
  text(12, 'fmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, 8000, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 16, true);
  if (extra) {
    text(36, 'LIST');
    view.setUint32(40, 3, true); // odd: one byte of padding follows
  }
  text(lead, 'data');
  view.setUint32(lead + 4, claimed, true);
  frames.forEach(([left, right], i) => {
    view.setInt16(lead + 8 + 4 * i, left, true);
    view.setInt16(lead + 10 + 4 * i, right, true);
  });
  return view.buffer;
}

describe('parseWav', () => {
  it('reads both channels past chunks it does not know', () => {
    const parsed = parseWav(wav([[100, -200], [-16384, 32767]]));
    expect([parsed.channels, parsed.sampleRate, parsed.frames]).toEqual([2, 8000, 2]);
    expect([...peaks(parsed, 0, 2)]).toEqual([100 / 32768, 0.5]);
    expect(peaks(parsed, 1, 1)[0]).toBeCloseTo(1, 3);
    expect(durationMs(parsed)).toBe(0.25);
  });

  it('takes what is there when the header promises more (a crash in mid-call)', () => {
    expect(parseWav(wav([[1, 1], [2, 2], [3, 3]], { claimed: 0xffffffff })).frames).toBe(3);
  });

  it('makes more bins than frames without reading outside', () => {
    expect(peaks(parseWav(wav([[5, 5]], { extra: false })), 0, 9)).toHaveLength(9);
    expect([...peaks(parseWav(wav([])), 0, 3)]).toEqual([0, 0, 0]);
  });

  it.each([['empty', 0], ['cut in the header', 10], ['cut in fmt', 30], ['without data', 36]])('refuses a file that is %s', (_, bytes) => {
    expect(() => parseWav(wav([[1, 1]]).slice(0, bytes))).toThrow();
  });
});
