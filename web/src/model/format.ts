/** 75_500 → 1:15 */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Today as hours and minutes, other days with their date. */
export function when(iso: string, locale: string, now: Date = new Date()): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hour12: false };
  const today = at.toDateString() === now.toDateString();
  return new Intl.DateTimeFormat(locale, today ? time : { month: 'short', day: 'numeric', ...time }).format(at);
}

/** `2026-11-25T15:30`, a local time as a dialogue keeps it, for people; other text as it is. */
export function slotText(value: string, locale: string): string {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(value)) return value;
  return new Intl.DateTimeFormat(locale, {
    month: 'long', day: 'numeric', weekday: 'long', hour: '2-digit', minute: '2-digit', hour12: false,
  }).format(new Date(value));
}

/** dBov (−90 … 0) as a meter's 0..1. */
export const meter = (dbov: number) => Math.min(1, Math.max(0, (dbov + 60) / 55));
