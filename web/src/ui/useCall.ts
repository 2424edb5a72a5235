import { useEffect, useReducer, useRef, useState } from 'react';
import { api, ApiError } from '../api/client';
import { isOver, type CallDetail } from '../api/types';
import { EMPTY, transcript, type Transcript } from '../model/transcript';
import { useLive } from './live';

const SETTLE_MS = 250; // several events come together; one fetch answers them all

export interface Levels { customer: number; bot: number }
export interface CallInView {
  call: CallDetail | null;
  said: Transcript;
  levels: Levels | null;
  error: ApiError | null;
  reload: () => void;
}

/** One call, kept up to date: fetched, then followed live, fetched again whenever its state changes or the feed comes back. */
export function useCall(id: string): CallInView {
  const [call, setCall] = useState<CallDetail | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [levels, setLevels] = useState<Levels | null>(null);
  const [said, tell] = useReducer(transcript, EMPTY);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const abort = useRef<AbortController>(undefined);

  const load = () => {
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    api.call(id, controller.signal).then(
      (fresh) => {
        setCall(fresh);
        setError(null);
        tell({ type: 'fetched', turns: fresh.turns, over: isOver(fresh) });
      },
      (problem: unknown) => {
        if (problem instanceof ApiError) setError(problem);
      },
    );
  };
  const loadSoon = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(load, SETTLE_MS);
  };
  useEffect(() => {
    load();
    return () => {
      clearTimeout(timer.current);
      abort.current?.abort();
    };
    // Mounted anew for each call (key = id).
  }, []);
  useLive((message) => {
    if (message.type === 'call' && message.call.id === id) {
      setCall((now) => now && { ...now, ...message.call });
      if (isOver(message.call)) tell({ type: 'ended' });
      loadSoon();
    } else if ((message.type === 'turn' || message.type === 'partial') && message.call_id === id) {
      tell(message);
      if (message.type === 'turn') loadSoon();
    } else if (message.type === 'level' && message.call_id === id) {
      setLevels({ customer: message.customer_dbov, bot: message.bot_dbov });
    }
  }, load);
  return { call, said, levels: call && isOver(call) ? null : levels, error, reload: load };
}
