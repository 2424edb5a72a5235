import { meter } from '../model/format';

export function Meter({ label, dbov, kind }: { label: string; dbov: number; kind: 'customer' | 'bot' }) {
  const value = meter(dbov);
  return (
    <div className={`meter ${kind}`} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(value * 100)}>
      <span>{label}</span>
      <div><i style={{ transform: `scaleX(${value})` }} /></div>
    </div>
  );
}
