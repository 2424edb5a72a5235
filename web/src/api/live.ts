import { socketUrl } from './client';
import type { LiveMessage, LiveWish } from './types';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** How long to wait before try `n` (0 first): doubling, capped, with up to 30 % taken off so that consoles do not return in step. */
export function backOff(n: number, random: () => number = Math.random): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** n) * (1 - 0.3 * random());
}

type Handler = (message: LiveMessage) => void;
type StateHandler = (connected: boolean) => void;

/** The one socket of live events; comes back by itself. `onState(true)` means: what was missed must be fetched again. */
export class LiveFeed {
  private socket: WebSocket | null = null;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly handlers = new Set<Handler>();
  private readonly stateHandlers = new Set<StateHandler>();
  private running = false;
  private watched: string | null = null;
  connected = false;

  start(): void {
    if (this.running) return;
    this.running = true;
    this.open();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
    this.socket?.close(1000);
    this.socket = null;
    this.tell(false);
  }

  on(handler: Handler): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  onState(handler: StateHandler): () => void {
    this.stateHandlers.add(handler);
    return () => this.stateHandlers.delete(handler);
  }

  /** Asks for the loudness (`level`) of one call, of none with null; asked again whenever the feed comes back. */
  watch(call: string | null): void {
    this.watched = call;
    if (this.connected) this.ask();
  }

  private ask(): void {
    this.socket?.send(JSON.stringify({ type: 'watch', call_id: this.watched } satisfies LiveWish));
  }

  private tell(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    this.stateHandlers.forEach((handler) => handler(connected));
  }

  private open(): void {
    const socket = new WebSocket(socketUrl('/api/v1/live'), 'aicall.live.v1');
    this.socket = socket;
    socket.onopen = () => {
      this.tries = 0;
      if (this.watched) this.ask();
      this.tell(true);
    };
    socket.onmessage = (event) => {
      if (typeof event.data !== 'string') return;
      const message = parseLive(event.data);
      if (message) this.handlers.forEach((handler) => handler(message));
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.tell(false);
      if (this.running) this.timer = setTimeout(() => this.open(), backOff(this.tries++));
    };
  }
}

export function parseLive(text: string): LiveMessage | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('type' in value)) return null;
    return value as LiveMessage;
  } catch {
    return null;
  }
}
