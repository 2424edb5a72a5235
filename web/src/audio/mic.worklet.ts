// Audio thread: the microphone at the device's rate in, frames of 20 ms at 8 kHz and their level out.
import { Framer, RATE } from './frames';
import { level, Resampler, toPcm16 } from './resampler';
import { scope } from './worklet-scope';

class Microphone extends scope.AudioWorkletProcessor {
  private readonly resampler = new Resampler(scope.sampleRate, RATE);
  private readonly framer = new Framer();

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0];
    if (!input) return true;
    this.framer.push(this.resampler.process(input), (frame) => {
      const pcm = toPcm16(frame).buffer as ArrayBuffer;
      this.port.postMessage({ pcm, level: level(frame) }, [pcm]);
    });
    return true;
  }
}

scope.registerProcessor('microphone', Microphone);
