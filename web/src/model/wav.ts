export interface Wav { sampleRate: number; channels: number; frames: number; data: DataView }

const ascii = (view: DataView, at: number) =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));

/** Finds the 16-bit PCM of a WAV. A recording cut short by a crash may promise more than it holds: what is there counts. Throws on anything else. */
export function parseWav(bytes: ArrayBuffer): Wav {
  const view = new DataView(bytes);
  if (view.byteLength < 12 || ascii(view, 0) !== 'RIFF' || ascii(view, 8) !== 'WAVE') throw new Error('not a WAV file');
  let format: { channels: number; sampleRate: number } | null = null;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const id = ascii(view, at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (id === 'fmt ') {
      if (size < 16 || body + 16 > view.byteLength) throw new Error('the fmt chunk is cut off');
      const tag = view.getUint16(body, true);
      const bits = view.getUint16(body + 14, true);
      if ((tag !== 1 && tag !== 0xfffe) || bits !== 16) throw new Error('only 16-bit PCM can be shown');
      format = { channels: view.getUint16(body + 2, true), sampleRate: view.getUint32(body + 4, true) };
      if (format.channels === 0 || format.sampleRate === 0) throw new Error('no channels in this WAV');
    } else if (id === 'data') {
      if (!format) throw new Error('no format before the data');
      const there = Math.min(size, view.byteLength - body);
      const frames = Math.floor(there / (2 * format.channels));
      return { ...format, frames, data: new DataView(bytes, body, frames * 2 * format.channels) };
    }
    at = body + size + (size & 1);
  }
  throw new Error('no data in this WAV');
}

/** The loudest sample of each of `bins` equal parts of a channel, 0..1. */
export function peaks(wav: Wav, channel: number, bins: number): Float32Array {
  const out = new Float32Array(bins);
  const stride = 2 * wav.channels;
  for (let bin = 0; bin < bins; ++bin) {
    const from = Math.floor((bin * wav.frames) / bins);
    const to = Math.min(wav.frames, Math.max(from + 1, Math.floor(((bin + 1) * wav.frames) / bins)));
    let top = 0;
    for (let i = from; i < to; ++i) top = Math.max(top, Math.abs(wav.data.getInt16(i * stride + 2 * channel, true)));
    out[bin] = top / 32768;
  }
  return out;
}

export const durationMs = (wav: Wav) => (1000 * wav.frames) / wav.sampleRate;
