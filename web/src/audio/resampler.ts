const PHASES = 64;
const LOBES = 16; // zero crossings on each side of the kernel

/** Mono audio from one sample rate to another: windowed sinc, low-passed for the lower of both. State is kept between calls. */
export class Resampler {
  private readonly step: number;
  private readonly half: number; // input samples on each side of an output sample
  private readonly table: Float32Array; // kernel at 1/PHASES of an input sample
  private history: Float32Array;
  private position: number; // of the next output sample, in history

  constructor(from: number, to: number) {
    if (!(from > 0) || !(to > 0)) throw new Error('sample rates must be above zero');
    this.step = from / to;
    const cutoff = Math.min(1, to / from) * 0.94;
    this.half = Math.ceil(LOBES / cutoff);
    this.table = new Float32Array(2 * this.half * PHASES + 1);
    for (let i = 0; i < this.table.length; ++i) {
      const x = i / PHASES - this.half;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x * cutoff) / (Math.PI * x * cutoff);
      const window = 0.42 + 0.5 * Math.cos((Math.PI * x) / this.half) + 0.08 * Math.cos((2 * Math.PI * x) / this.half);
      this.table[i] = cutoff * sinc * window;
    }
    this.history = new Float32Array(this.half);
    this.position = this.half;
  }

  process(input: Float32Array): Float32Array {
    const all = new Float32Array(this.history.length + input.length);
    all.set(this.history);
    all.set(input, this.history.length);
    const out: number[] = [];
    let at = this.position;
    for (; at + this.half < all.length; at += this.step) out.push(this.sampleAt(all, at));
    const keepFrom = Math.max(0, Math.min(all.length, Math.floor(at) - this.half));
    this.history = all.slice(keepFrom);
    this.position = at - keepFrom;
    return Float32Array.from(out);
  }

  private sampleAt(all: Float32Array, at: number): number {
    const first = Math.ceil(at - this.half);
    const last = Math.min(all.length - 1, Math.floor(at + this.half));
    let sum = 0;
    for (let i = Math.max(0, first); i <= last; ++i) {
      sum += (all[i] as number) * (this.table[Math.round((i - at + this.half) * PHASES)] as number);
    }
    return sum;
  }
}

export function toPcm16(samples: ArrayLike<number>): Int16Array {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; ++i) {
    out[i] = Math.round(Math.min(1, Math.max(-1, samples[i] as number)) * 32767);
  }
  return out;
}

/** Root mean square as dB below full scale, −90 at least. */
export function level(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; ++i) sum += (samples[i] as number) ** 2;
  return samples.length === 0 || sum === 0 ? -90 : Math.max(-90, 10 * Math.log10(sum / samples.length));
}
