import { createContext, useContext, useEffect, useEffectEvent, useState } from 'react';
import { LiveFeed } from '../api/live';
import type { LiveMessage } from '../api/types';

export const Live = createContext<LiveFeed>(new LiveFeed());

/** Calls `handler` with each live event, and `onBack` when the feed has come (back): what was missed must be fetched. */
export function useLive(handler: (message: LiveMessage) => void, onBack?: () => void): void {
  const feed = useContext(Live);
  const told = useEffectEvent(handler);
  const back = useEffectEvent((connected: boolean) => {
    if (connected) onBack?.();
  });
  useEffect(() => {
    const undo = [feed.on((message) => told(message)), feed.onState((connected) => back(connected))];
    return () => undo.forEach((stop) => stop());
  }, [feed]);
}

/** The loudness of this call is wanted while `on`: `level` messages come then. */
export function useWatch(id: string, on: boolean): void {
  const feed = useContext(Live);
  useEffect(() => {
    if (!on) return;
    feed.watch(id);
    return () => feed.watch(null);
  }, [feed, id, on]);
}

export function useConnected(): boolean {
  const feed = useContext(Live);
  const [connected, setConnected] = useState(feed.connected);
  useEffect(() => {
    setConnected(feed.connected);
    return feed.onState(setConnected);
  }, [feed]);
  return connected;
}
