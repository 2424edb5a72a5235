import type { LiveMessage, Speaker, Turn } from '../api/types';

export interface Partial { speaker: Speaker; text: string; at_ms: number }
export interface Transcript { turns: Turn[]; partials: Partial[] }
export const EMPTY: Transcript = { turns: [], partials: [] };

type Action =
  | { type: 'fetched'; turns: Turn[]; over: boolean }
  | { type: 'ended' }
  | Extract<LiveMessage, { type: 'partial' | 'turn' }>;

function merge(known: Turn[], more: Turn[]): Turn[] {
  const bySeq = new Map(known.map((turn) => [turn.seq, turn]));
  more.forEach((turn) => bySeq.set(turn.seq, turn));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** A partial that belongs to a turn already told. */
const isTold = (partial: Partial, turns: Turn[]) =>
  turns.some((turn) => turn.speaker === partial.speaker && turn.ended_ms >= partial.at_ms);

/**
 * What is known of one conversation. A partial stands until its turn arrives (or another partial of that speaker) and is
 * then withdrawn; turns may arrive in any order, twice, or both live and fetched.
 */
export function transcript(state: Transcript, action: Action): Transcript {
  switch (action.type) {
    case 'fetched': {
      const turns = merge(state.turns, action.turns);
      return { turns, partials: action.over ? [] : state.partials.filter((p) => !isTold(p, turns)) };
    }
    case 'turn':
      return {
        turns: merge(state.turns, [action.turn]),
        partials: state.partials.filter((p) => p.speaker !== action.turn.speaker || p.at_ms > action.turn.ended_ms),
      };
    case 'partial': {
      const { speaker, text, at_ms } = action;
      const others = state.partials.filter((p) => p.speaker !== speaker);
      const partial = { speaker, text, at_ms };
      if (isTold(partial, state.turns)) return state;
      return { ...state, partials: text.trim() ? [...others, partial] : others };
    }
    case 'ended':
      return { ...state, partials: [] };
  }
}

/** The turn being heard at `ms`: the latest that has begun and not ended; null in a pause. */
export function turnAt(turns: Turn[], ms: number): Turn | null {
  let found: Turn | null = null;
  for (const turn of turns) {
    if (turn.started_ms <= ms && ms < turn.ended_ms && (!found || turn.started_ms >= found.started_ms)) found = turn;
  }
  return found;
}
