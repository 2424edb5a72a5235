interface Props<T extends string> { label: string; value: T; options: readonly [T, string][]; onChange: (value: T) => void; disabled?: boolean }

/** A row of radio buttons that look like one switch. */
export function Choice<T extends string>({ label, value, options, onChange, disabled = false }: Props<T>) {
  return (
    <fieldset className="choice" disabled={disabled}>
      <legend>{label}</legend>
      <div>
        {options.map(([option, text]) => (
          <label key={option}>
            <input type="radio" name={label} checked={option === value} onChange={() => onChange(option)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
