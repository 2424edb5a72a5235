// What the audio thread offers; TypeScript's DOM library leaves it out. Bound at run time by the browser.
export interface Processor { readonly port: MessagePort }
interface Scope {
  sampleRate: number;
  AudioWorkletProcessor: new () => Processor;
  registerProcessor(name: string, type: new () => Processor): void;
}
export const scope = globalThis as unknown as Scope;
