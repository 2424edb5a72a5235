import type { Call, CallDetail, CallState, Flow, NewCall, Problem, System } from './types';

/** A refusal by the server, or no answer from it (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.status = problem.status;
    this.problem = problem;
  }
}

type Listener = () => void;
const onUnauthorized = new Set<Listener>();

/** Called whenever the server says that there is no session (any more). Returns the undo. */
export function whenUnauthorized(listener: Listener): () => void {
  onUnauthorized.add(listener);
  return () => onUnauthorized.delete(listener);
}

async function problemOf(response: Response): Promise<Problem> {
  const plain: Problem = { type: 'about:blank', title: response.statusText, status: response.status };
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? { ...plain, ...body, status: response.status } : plain;
  } catch {
    return plain;
  }
}

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError({ type: 'about:blank', title: 'unreachable', status: 0 });
  }
  if (response.ok) return response;
  if (response.status === 401) onUnauthorized.forEach((listener) => listener());
  throw new ApiError(await problemOf(response));
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await send(path, init)).json() as Promise<T>;
}

const callPath = (id: string) => `/api/v1/calls/${encodeURIComponent(id)}`;

export interface ListQuery { limit?: number; cursor?: string; state?: CallState }

export const api = {
  calls(query: ListQuery = {}, signal?: AbortSignal) {
    const wanted = Object.entries(query).flatMap(([k, v]) => (v === undefined ? [] : [[k, String(v)]]));
    const text = new URLSearchParams(wanted).toString();
    return json<{ calls: Call[]; next_cursor: string | null }>(`/api/v1/calls${text && `?${text}`}`, { signal: signal ?? null });
  },
  call: (id: string, signal?: AbortSignal) => json<CallDetail>(callPath(id), { signal: signal ?? null }),
  hangUp: (id: string) => json<Call>(callPath(id), { method: 'DELETE' }),
  create: (call: NewCall, idempotencyKey: string) =>
    json<Call>('/api/v1/calls', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
      body: JSON.stringify(call),
    }),
  flows: async () => (await json<{ flows: Flow[] }>('/api/v1/flows')).flows,
  system: () => json<System>('/api/v1/system'),
  recordingPath: (id: string) => `${callPath(id)}/recording`,
  async recording(id: string, signal?: AbortSignal): Promise<ArrayBuffer> {
    return (await send(`${callPath(id)}/recording`, { signal: signal ?? null })).arrayBuffer();
  },
};

export function socketUrl(path: string): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`;
}
