// Audio thread: frames of 20 ms at 8 kHz in, the loudspeaker at the device's rate out, with a jitter buffer of 80 ms.
import { JitterBuffer, RATE } from './frames';
import { level, Resampler } from './resampler';
import { scope } from './worklet-scope';

const REPORT_EVERY = 32; // quanta of 128 samples: about 85 ms at 48 kHz

class Loudspeaker extends scope.AudioWorkletProcessor {
  private readonly buffer = new JitterBuffer();
  private readonly resampler = new Resampler(RATE, scope.sampleRate);
  private ready: Float32Array = new Float32Array(0);
  private quanta = 0;
  private loudest = -90;

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<ArrayBuffer>) => this.buffer.push(new Int16Array(event.data));
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0]?.[0];
    if (!output) return true;
    while (this.ready.length < output.length) this.more();
    output.set(this.ready.subarray(0, output.length));
    this.ready = this.ready.slice(output.length);
    this.loudest = Math.max(this.loudest, level(output));
    if (++this.quanta % REPORT_EVERY === 0) this.report();
    return true;
  }

  private more(): void {
    const frame = this.buffer.pop();
    const samples = new Float32Array(frame ? frame.length : 40);
    if (frame) for (let i = 0; i < frame.length; ++i) samples[i] = (frame[i] as number) / 32768;
    const fresh = this.resampler.process(samples);
    const all = new Float32Array(this.ready.length + fresh.length);
    all.set(this.ready);
    all.set(fresh, this.ready.length);
    this.ready = all;
  }

  private report(): void {
    this.port.postMessage({ level: this.loudest, dry: this.buffer.dry, dropped: this.buffer.dropped });
    this.loudest = -90;
  }
}

scope.registerProcessor('loudspeaker', Loudspeaker);
