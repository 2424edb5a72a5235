export const RATE = 8000;
export const FRAME = 160; // 20 ms

/** Cuts a stream of samples into frames of 20 ms. */
export class Framer {
  private rest = new Float32Array(0);

  push(samples: Float32Array, emit: (frame: Float32Array) => void): void {
    const all = new Float32Array(this.rest.length + samples.length);
    all.set(this.rest);
    all.set(samples, this.rest.length);
    let at = 0;
    for (; at + FRAME <= all.length; at += FRAME) emit(all.slice(at, at + FRAME));
    this.rest = all.slice(at);
  }
}

/**
 * Evens out when frames arrive: waits until `start` of them are there, drops the oldest beyond `most`, and waits again
 * after running dry.
 */
export class JitterBuffer {
  private queue: Int16Array[] = [];
  private filling = true;
  dry = 0;
  dropped = 0;

  constructor(private readonly start = 4, private readonly most = 12) {}

  push(frame: Int16Array): void {
    this.queue.push(frame);
    if (this.queue.length <= this.most) return;
    const spare = this.queue.length - this.start;
    this.queue.splice(0, spare);
    this.dropped += spare;
  }

  /** The next frame, or null for silence. */
  pop(): Int16Array | null {
    if (this.filling && this.queue.length < this.start) return null;
    this.filling = false;
    const frame = this.queue.shift();
    if (frame) return frame;
    this.filling = true;
    ++this.dry;
    return null;
  }

  get depth(): number {
    return this.queue.length;
  }
}
