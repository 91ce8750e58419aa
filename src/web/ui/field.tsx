import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useId, useState } from 'react';
import { messages } from '../languages/index.ts';
import { words } from '../languages/words.ts';

const say = messages({
  show_password: { en: 'Show password', sv: 'Visa lösenord', de: 'Passwort zeigen' },
  hide_password: { en: 'Hide password', sv: 'Dölj lösenord', de: 'Passwort verbergen' },
});

interface Labels {
  label: string;
  hint?: string | undefined;
  /** What is wrong with the value; read out with the field. */
  error?: string | undefined;
  /** Says so beside the label. */
  optional?: boolean;
}

interface FrameProps extends Labels {
  id: string;
  children: ReactNode;
}

/** Label, hint and error around whatever takes the value. */
function Frame({ id, label, hint, error, optional, children }: FrameProps) {
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
        {optional && <span className="font-normal text-quiet"> ({words('optional')})</span>}
      </label>
      {children}
      {hint && (
        <p id={`${id}-hint`} className="text-sm text-quiet">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-sm font-medium text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

function described(id: string, { hint, error }: Labels): string | undefined {
  return [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
}

const INPUT =
  'min-h-12 w-full rounded-xl border border-edge bg-card px-3.5 text-base text-ink aria-invalid:border-2 aria-invalid:border-bad';

export type FieldProps = InputHTMLAttributes<HTMLInputElement> & Labels;

/** A labelled input, with its hint and its error beside it. */
export function Field({ label, hint, error, optional = false, className = '', ...rest }: FieldProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error} optional={optional}>
      <input
        {...rest}
        id={id}
        className={`${INPUT} ${className}`}
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, { label, hint, error })}
      />
    </Frame>
  );
}

/**
 * A meter's register or any other decimal, typed as people write it. Never type=number: scrolling changes those, and
 * dictation and commas break them.
 */
export function NumberField(props: FieldProps) {
  return (
    <Field
      inputMode="decimal"
      autoComplete="off"
      enterKeyHint="next"
      {...props}
      type="text"
      className={`text-lg tabular-nums ${props.className ?? ''}`}
    />
  );
}

/** A password, which can be shown: long ones are easier to type when one sees them. */
export function PasswordField(props: FieldProps) {
  const [shown, show] = useState(false);
  return (
    <div className="flex flex-col">
      <Field {...props} type={shown ? 'text' : 'password'} autoCapitalize="none" spellCheck={false} />
      <button
        type="button"
        aria-pressed={shown}
        className="min-h-11 self-start text-sm text-accent underline underline-offset-4"
        onClick={() => show(!shown)}
      >
        {say(shown ? 'hide_password' : 'show_password')}
      </button>
    </div>
  );
}

export type SelectFieldProps = SelectHTMLAttributes<HTMLSelectElement> & Labels;

export function SelectField({ label, hint, error, optional = false, children, ...rest }: SelectFieldProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error} optional={optional}>
      <select
        {...rest}
        id={id}
        className={INPUT}
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, { label, hint, error })}
      >
        {children}
      </select>
    </Frame>
  );
}

interface ChoiceProps<V extends string> {
  label: string;
  /** The label is read out, and not shown: what it is about is plain to see. */
  quiet?: boolean;
  value: V;
  options: readonly { value: V; label: string }[];
  onChange: (value: V) => void;
}

/** One of a few, all of them in sight. */
export function Choice<V extends string>({ label, quiet = false, value, options, onChange }: ChoiceProps<V>) {
  const name = useId();
  return (
    <fieldset className="min-w-0">
      <legend className={quiet ? 'sr-only' : 'mb-1.5 font-medium'}>{label}</legend>
      <div className="flex w-fit max-w-full flex-wrap gap-1 rounded-xl bg-raised p-1">
        {options.map((option) => (
          <label
            key={option.value}
            className="flex min-h-11 min-w-11 cursor-pointer items-center justify-center rounded-lg px-3 text-sm font-medium text-quiet has-checked:bg-card has-checked:text-ink has-checked:shadow-sm has-focus-visible:outline-3 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              className="sr-only"
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
