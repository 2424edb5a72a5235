// The schemas of src/api/openapi.yaml, by hand; `contract.test.ts` holds the two together.

export type Language = 'zh' | 'en';
export const CALL_STATES = [
  'queued', 'dialing', 'ringing', 'answered', 'talking', 'escalated', 'completed', 'failed',
] as const;
export type CallState = (typeof CALL_STATES)[number];
export type Degraded = 'hearing' | 'speaking' | 'recording';
export type Speaker = 'customer' | 'bot';

export interface Call {
  id: string;
  state: CallState;
  direction: 'outbound' | 'browser';
  to?: string;
  language: Language;
  flow: string;
  subject_id?: string | null;
  outcome?: string | null;
  outcome_text?: string | null;
  disposition?: string | null;
  sip_status?: number | null;
  created_at: string;
  answered_at?: string | null;
  ended_at?: string | null;
  duration_ms?: number | null;
  has_recording?: boolean;
  degraded?: Degraded[];
}

/** Spans in milliseconds, but `end_of_turn_ms`, `first_packet_ms` and `gap_ms` count from the customer's last sample. */
export interface Stages {
  end_of_turn_ms?: number;
  asr_ms?: number;
  understanding_ms?: number;
  model_ms?: number;
  voice_ms?: number;
  first_packet_ms?: number;
  gap_ms?: number;
  judged?: string;
}

export interface Turn {
  seq: number;
  speaker: Speaker;
  text: string;
  unsaid?: string | null;
  interrupted_at_ms?: number | null;
  started_ms: number;
  ended_ms: number;
  intent?: string | null;
  confidence?: number | null;
  sentiment?: 'positive' | 'neutral' | 'negative' | null;
  node?: string | null;
  stages?: Stages | null;
}

export interface Transition { state: CallState; at: string; reason?: string | null }
export interface CallEvent { type: string; at: string; data?: Record<string, unknown> }

export interface CallDetail extends Call {
  transitions: Transition[];
  turns: Turn[];
  events: CallEvent[];
  slots: Record<string, string>;
  disclosure_heard?: boolean;
}

export interface NewCall {
  to: string;
  flow?: string;
  language?: Language;
  variables?: Record<string, string>;
  subject_id?: string;
}

export interface Flow { id: string; title?: string; languages: Language[]; variables?: string[] }
export type EngineState = 'starting' | 'up' | 'down' | 'degraded';
export interface Engine { name: string; state: EngineState }
export interface PromptsLeft { flow: string; language: Language; sentences_left: number; fragments_left: number }
export interface System { version: string; active_calls: number; waiting_calls?: number; prompts_left?: number; prompts?: PromptsLeft[]; calls_max: number; engines: Engine[] }

export interface FieldError { field: string; reason: string }
export interface Problem { type: string; title: string; status: number; detail?: string; errors?: FieldError[] }

export type LiveMessage =
  | { type: 'hello'; version: number }
  | { type: 'call'; call: Call }
  | { type: 'partial'; call_id: string; speaker: Speaker; text: string; at_ms: number }
  | { type: 'turn'; call_id: string; turn: Turn }
  | { type: 'engine'; name: string; state: EngineState }
  | { type: 'level'; call_id: string; customer_dbov: number; bot_dbov: number };

/** What the page says on the live feed. */
export type LiveWish = { type: 'watch'; call_id: string | null };

export const isOver = (call: Pick<Call, 'state'>): boolean => call.state === 'completed' || call.state === 'failed';
