import type { Call } from '../api/types';

/** Calls newest first, each once; a later report of a call replaces the earlier one. */
export function mergeCalls(known: Call[], more: Call[]): Call[] {
  const byId = new Map(known.map((call) => [call.id, call]));
  more.forEach((call) => byId.set(call.id, { ...byId.get(call.id), ...call }));
  return [...byId.values()].sort((a, b) => b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id));
}
