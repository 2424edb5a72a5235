import { describe, expect, it } from 'vitest';
import type { Turn } from '../api/types';
import { EMPTY, transcript, turnAt } from '../model/transcript';

const turn = (seq: number, speaker: Turn['speaker'], started_ms: number, ended_ms: number, text = `${speaker} ${seq}`): Turn =>
  ({ seq, speaker, text, started_ms, ended_ms });
const partial = (text: string, at_ms: number) => ({ type: 'partial', call_id: 'c', speaker: 'customer', text, at_ms }) as const;
const told = (one: Turn) => ({ type: 'turn', call_id: 'c', turn: one }) as const;

describe('transcript', () => {
  it('replaces a partial by the next one and withdraws it when the turn comes', () => {
    let state = transcript(EMPTY, partial('我想', 1000));
    state = transcript(state, partial('我想改时间', 1400));
    expect(state.partials).toEqual([{ speaker: 'customer', text: '我想改时间', at_ms: 1400 }]);
    state = transcript(state, told(turn(2, 'customer', 900, 1900)));
    expect(state.partials).toEqual([]);
    expect(state.turns.map((t) => t.seq)).toEqual([2]);
  });

  it("keeps the customer's partial when a turn of the bot comes", () => {
    const state = transcript(transcript(EMPTY, partial('喂', 2000)), told(turn(1, 'bot', 0, 1900)));
    expect(state.partials).toHaveLength(1);
  });

  it('ignores a partial that arrives after its turn, and keeps one that belongs to the next', () => {
    const after = transcript(EMPTY, told(turn(2, 'customer', 900, 1900)));
    expect(transcript(after, partial('late', 1800))).toBe(after);
    expect(transcript(after, partial('next', 2500)).partials).toHaveLength(1);
    expect(transcript(transcript(EMPTY, partial('next', 2500)), told(turn(2, 'customer', 900, 1900))).partials).toHaveLength(1);
  });

  it('an empty partial withdraws what stood there', () => {
    expect(transcript(transcript(EMPTY, partial('嗯', 1)), partial('  ', 2)).partials).toEqual([]);
  });

  it('orders turns that arrive in any order, and takes the later report of one', () => {
    let state = transcript(EMPTY, told(turn(3, 'bot', 2000, 3000)));
    state = transcript(state, { type: 'fetched', turns: [turn(1, 'bot', 0, 900), turn(3, 'bot', 2000, 3000, 'cut')], over: false });
    expect(state.turns.map((t) => [t.seq, t.text])).toEqual([[1, 'bot 1'], [3, 'cut']]);
  });

  it('leaves no partial in a call that is over', () => {
    const hanging = transcript(EMPTY, partial('…', 99_000));
    expect(transcript(hanging, { type: 'ended' }).partials).toEqual([]);
    expect(transcript(hanging, { type: 'fetched', turns: [], over: true }).partials).toEqual([]);
  });

  it('finds the turn being played; the one cutting in wins', () => {
    const turns = [turn(1, 'bot', 0, 3000), turn(2, 'customer', 2500, 4000)];
    expect(turnAt(turns, 100)?.seq).toBe(1);
    expect(turnAt(turns, 2700)?.seq).toBe(2);
    expect(turnAt(turns, 4000)).toBeNull();
  });
});
