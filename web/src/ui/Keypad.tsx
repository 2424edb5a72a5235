import { useI18n } from '../i18n';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

export function Keypad({ onKey, disabled }: { onKey: (key: string) => void; disabled: boolean }) {
  const { t } = useI18n();
  return (
    <div className="keypad" role="group" aria-label={t('talk.keypad')}>
      {KEYS.map((key) => (
        <button key={key} onClick={() => onKey(key)} disabled={disabled}>{key}</button>
      ))}
    </div>
  );
}
