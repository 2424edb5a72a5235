import { api, ApiError, socketUrl } from '../api/client';
import type { Language } from '../api/types';
import micUrl from './mic.worklet.ts?worker&url';
import speakerUrl from './speaker.worklet.ts?worker&url';

export type TalkFault =
  | 'insecure' | 'mic_denied' | 'mic_missing' | 'mic_busy' | 'lines_busy' | 'no_session' | 'unreachable' | 'refused' | 'lost';
export type TalkPhase = 'idle' | 'asking' | 'connecting' | 'talking' | 'ended';
export interface TalkState {
  phase: TalkPhase;
  callId: string | null;
  fault: TalkFault | null;
  detail: string;
  muted: boolean;
  framesHeard: number;
  framesSent: number;
}
export interface Levels { customer: number; bot: number }

const START: TalkState = {
  phase: 'idle', callId: null, fault: null, detail: '', muted: false, framesHeard: 0, framesSent: 0,
};
const SEND_BEHIND_MAX = 32_000; // one second of audio that the network has not taken: drop frames, stay live

export function microphoneFault(error: unknown): TalkFault {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'mic_denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'mic_missing';
  return 'mic_busy';
}

/** A refused WebSocket tells the page nothing, so the API is asked why. */
export async function whyRefused(): Promise<{ fault: TalkFault; detail: string }> {
  try {
    const system = await api.system();
    if (system.active_calls >= system.calls_max) return { fault: 'lines_busy', detail: '' };
    const down = system.engines.filter((engine) => engine.state === 'down').map((engine) => engine.name);
    return { fault: 'refused', detail: down.join(', ') };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return { fault: 'no_session', detail: '' };
    if (error instanceof ApiError && error.status === 429) return { fault: 'lines_busy', detail: '' };
    return { fault: 'unreachable', detail: '' };
  }
}

/** One conversation between this browser's microphone and the bot. `start` once; `close` whenever. */
export class TalkSession {
  state: TalkState = START;
  private socket: WebSocket | null = null;
  private audio: AudioContext | null = null;
  private stream: MediaStream | null = null;
  private levels: Levels = { customer: -90, bot: -90 };

  constructor(
    private readonly onState: (state: TalkState) => void,
    private readonly onLevels: (levels: Levels) => void,
  ) {}

  async start(flow: string, language: Language): Promise<void> {
    if (!navigator.mediaDevices || typeof AudioWorkletNode === 'undefined') return this.finish('insecure');
    this.set({ ...START, phase: 'asking' });
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      return this.finish(microphoneFault(error));
    }
    if (this.state.phase === 'ended') return this.release();
    this.set({ phase: 'connecting' });
    try {
      await this.openAudio(this.stream);
    } catch (error) {
      return this.finish('mic_busy', error instanceof Error ? error.message : '');
    }
    if (this.state.phase === 'connecting') this.openSocket(flow, language);
    else this.release();
  }

  dtmf(digit: string): void {
    this.send({ type: 'dtmf', digit });
  }

  mute(muted: boolean): void {
    this.stream?.getAudioTracks().forEach((track) => (track.enabled = !muted));
    this.set({ muted });
  }

  close(): void {
    this.send({ type: 'hang_up' });
    if (this.state.phase !== 'idle') this.finish(null);
  }

  private async openAudio(stream: MediaStream): Promise<void> {
    const audio = new AudioContext({ latencyHint: 'interactive' });
    this.audio = audio;
    await Promise.all([audio.audioWorklet.addModule(micUrl), audio.audioWorklet.addModule(speakerUrl), audio.resume()]);
    const microphone = new AudioWorkletNode(audio, 'microphone', { numberOfOutputs: 0 });
    microphone.port.onmessage = (event: MessageEvent<{ pcm: ArrayBuffer; level: number }>) => this.heard(event.data);
    const loudspeaker = new AudioWorkletNode(audio, 'loudspeaker', { numberOfInputs: 0, outputChannelCount: [1] });
    loudspeaker.port.onmessage = (event: MessageEvent<{ level: number }>) => {
      this.levels = { ...this.levels, bot: event.data.level };
      this.onLevels(this.levels);
    };
    audio.createMediaStreamSource(stream).connect(microphone);
    loudspeaker.connect(audio.destination);
    this.toSpeaker = (frame) => loudspeaker.port.postMessage(frame, [frame]);
  }

  private toSpeaker: (frame: ArrayBuffer) => void = () => undefined;

  private heard({ pcm, level }: { pcm: ArrayBuffer; level: number }): void {
    this.levels = { ...this.levels, customer: level };
    this.onLevels(this.levels);
    const socket = this.socket;
    if (socket?.readyState !== WebSocket.OPEN || socket.bufferedAmount > SEND_BEHIND_MAX) return;
    socket.send(pcm);
    this.count({ framesSent: this.state.framesSent + 1 });
  }

  private openSocket(flow: string, language: Language): void {
    const query = new URLSearchParams({ flow, language });
    const socket = new WebSocket(socketUrl(`/api/v1/talk?${query}`), 'aicall.talk.v1');
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    let opened = false;
    socket.onopen = () => (opened = true);
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === 'string') return this.control(event.data);
      this.toSpeaker(event.data);
      this.count({ framesHeard: this.state.framesHeard + 1 });
    };
    socket.onclose = async (event) => {
      if (this.state.phase === 'ended') return;
      if (opened) return this.finish(event.code === 1000 || event.code === 1005 ? null : 'lost');
      const why = await whyRefused();
      this.finish(why.fault, why.detail);
    };
  }

  private control(text: string): void {
    const message = JSON.parse(text) as { type?: string; call_id?: string };
    if (message.type === 'started') this.set({ phase: 'talking', callId: message.call_id ?? null });
    if (message.type === 'ended') this.finish(null);
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private finish(fault: TalkFault | null, detail = ''): void {
    if (this.state.phase === 'ended') return;
    this.set({ phase: 'ended', fault, detail });
    this.release();
  }

  private release(): void {
    this.stream?.getTracks().forEach((track) => track.stop());
    if (this.audio && this.audio.state !== 'closed') void this.audio.close();
    const socket = this.socket;
    // The hang-up that was just queued must leave before the socket goes.
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(1000);
    this.socket = null;
    this.onLevels({ customer: -90, bot: -90 });
  }

  private count(part: Pick<TalkState, 'framesHeard'> | Pick<TalkState, 'framesSent'>): void {
    const before = this.state;
    this.state = { ...before, ...part };
    // Fifty a second each way: the page needs to know of the first, and then now and then.
    const total = this.state.framesHeard + this.state.framesSent;
    if (this.state.framesHeard === 1 || total % 50 === 0) this.onState(this.state);
  }

  private set(part: Partial<TalkState>): void {
    this.state = { ...this.state, ...part };
    this.onState(this.state);
  }
}
