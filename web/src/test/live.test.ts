import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LiveFeed } from '../api/live';

class FakeSocket {
  static all: FakeSocket[] = [];
  sent: string[] = [];
  onopen?: () => void;
  onclose?: () => void;
  onmessage?: (event: { data: string }) => void;
  constructor() {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(text);
  }
  close() {}
}
const last = () => FakeSocket.all.at(-1) as FakeSocket;

beforeEach(() => {
  FakeSocket.all = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('a watched call is asked for at once, again when the feed comes back, and given up', () => {
  const feed = new LiveFeed();
  feed.start();
  feed.watch('a'); // before it is open: asked as soon as it is
  expect(last().sent).toEqual([]);
  last().onopen?.();
  expect(last().sent.map((text) => JSON.parse(text))).toEqual([{ type: 'watch', call_id: 'a' }]);
  last().onclose?.();
  vi.advanceTimersByTime(1000);
  expect(FakeSocket.all).toHaveLength(2);
  last().onopen?.();
  feed.watch('b');
  feed.watch(null);
  expect(last().sent.map((text) => JSON.parse(text).call_id)).toEqual(['a', 'b', null]);
  last().onclose?.();
  vi.advanceTimersByTime(1000);
  last().onopen?.();
  expect(last().sent).toEqual([]); // nobody watches: nothing is asked
});
