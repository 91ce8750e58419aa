import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { messages } from '../languages/index.ts';
import { fieldErrors, sentenceOf } from '../languages/problems.ts';
import { words } from '../languages/words.ts';
import { Button } from './button.tsx';
import { Notice } from './page.tsx';

const say = messages({
  no_email: {
    en: 'This is no email address: name@example.com is one.',
    sv: 'Det är ingen e-postadress: så ser en ut: namn@example.com.',
    de: 'Das ist keine E-Mail-Adresse; eine sieht so aus: name@example.com.',
  },
  too_short: {
    en: { one: 'At least {count} character.', other: 'At least {count} characters.' },
    sv: { one: 'Minst {count} tecken.', other: 'Minst {count} tecken.' },
    de: { one: 'Mindestens {count} Zeichen.', other: 'Mindestens {count} Zeichen.' },
  },
});

interface Props {
  submit: string;
  /** Sends the form's values, by name; what it throws is shown. */
  onSubmit: (values: Record<string, string>) => Promise<void>;
  /** Fields, given what is wrong with each of them by name. */
  children: (errors: Readonly<Record<string, string>>) => ReactNode;
}

/** Thrown by `onSubmit` where it finds fields wrong before anything is sent: name → what is wrong. */
export class WrongFields extends Error {
  readonly fields: Readonly<Record<string, string>>;
  constructor(fields: Readonly<Record<string, string>>) {
    super('some fields are wrong');
    this.fields = fields;
  }
}

/** What is plainly wrong with a field before anything is sent; null if nothing is. */
function fault(field: HTMLInputElement): string | null {
  const { validity, minLength } = field;
  if (field.required && field.value.trim() === '') return words('required');
  if (validity.typeMismatch && field.type === 'email') return say('no_email');
  if (field.value.length < minLength) return say('too_short', { count: minLength });
  return null;
}

/** The fields that are wrong, by name. */
function faults(form: HTMLFormElement): Record<string, string> {
  const fields = [...form.elements].filter((field) => field instanceof HTMLInputElement);
  return Object.fromEntries(
    fields.flatMap((field) => {
      const wrong = fault(field);
      return wrong ? [[field.name, wrong]] : [];
    }),
  );
}

/** A form whose errors stand beside their fields, and above them what concerns no field. */
export function Form({ submit, onSubmit, children }: Props) {
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  function show(wrong: Readonly<Record<string, string>>, sentence: string | null) {
    const fields = form.current!.elements;
    const shown = Object.keys(wrong).filter((name) => fields.namedItem(name));
    setErrors(wrong);
    setFailure(shown.length > 0 ? null : sentence);
    const first = fields.namedItem(shown[0] ?? '');
    if (first instanceof HTMLElement) first.focus();
  }

  async function send(event: FormEvent) {
    event.preventDefault();
    const wrong = faults(form.current!);
    show(wrong, null);
    if (Object.keys(wrong).length > 0) return;
    setBusy(true);
    const entries = [...new FormData(form.current!)].map(([name, value]) => [name, String(value)]);
    try {
      await onSubmit(Object.fromEntries(entries));
    } catch (error) {
      if (error instanceof WrongFields) show(error.fields, null);
      else show(fieldErrors(error), sentenceOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form ref={form} onSubmit={send} noValidate className="flex flex-col gap-5">
      {failure && <Notice tone="bad">{failure}</Notice>}
      {children(errors)}
      <Button type="submit" busy={busy} className="min-h-12">
        {submit}
      </Button>
    </form>
  );
}
