/** What the app says, in the language of the person. How it writes numbers and dates stands in format.ts. */

export const LANGUAGES = ['en', 'sv', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];
/** What each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', sv: 'Svenska', de: 'Deutsch' };

/** A sentence for one and one for any other number of things; `{count}` is filled in. */
type Counted = { one: string; other: string };
type Message = Readonly<Record<Language, string | Counted>>;

/** The names in braces in a text. */
type Names<S> = S extends `${string}{${infer N}}${infer Rest}` ? N | Names<Rest> : never;
type NamesOf<M extends Message> = M['en'] extends Counted
  ? 'count' | Names<M['en']['other']>
  : Names<M['en']>;
type Values<N extends string> = [N] extends [never] ? [] : [values: { [K in N]: string | number }];

/** Says one of its messages; what stands in braces in it is filled in. Numbers are written as people write them. */
export type Say<M extends Readonly<Record<string, Message>>> = <K extends keyof M & string>(
  key: K,
  ...values: Values<NamesOf<M[K]>>
) => string;

const CHOSEN = 'electric.language';

let language: Language = 'en';
let locale = 'en-GB';
let listeners: (() => void)[] = [];

function languageOf(tag: string): Language | undefined {
  return LANGUAGES.find((each) => tag.toLowerCase().split('-')[0] === each);
}

/** The language that was chosen here; null where the browser's decides. */
export function chosenLanguage(): Language | null {
  return languageOf(localStorage.getItem(CHOSEN) ?? '') ?? null;
}

/** Takes the chosen language, else the first of the browser's that the app speaks, in the browser's own variety. */
export function loadLanguage(): void {
  const chosen = chosenLanguage();
  const tags = [...navigator.languages].filter(
    (tag) => languageOf(tag) && (!chosen || languageOf(tag) === chosen),
  );
  locale = tags[0] ?? chosen ?? 'en-GB';
  language = languageOf(locale)!;
  document.documentElement.lang = language;
  for (const listener of listeners) listener();
}

/** @param tag null: the browser's own */
export function chooseLanguage(tag: Language | null): void {
  if (tag) localStorage.setItem(CHOSEN, tag);
  else localStorage.removeItem(CHOSEN);
  loadLanguage();
}

export function currentLanguage(): Language {
  return language;
}

/** BCP 47: decides how numbers and dates are written. */
export function currentLocale(): string {
  return locale;
}

export function onLanguage(listener: () => void): () => void {
  listeners.push(listener);
  return () => {
    listeners = listeners.filter((each) => each !== listener);
  };
}

/** The messages of a feature, each in every language; `{name}` is filled in. */
export function messages<const M extends Readonly<Record<string, Message>>>(catalogue: M): Say<M> {
  return (key, ...rest) => {
    const values: Record<string, string | number> = rest[0] ?? {};
    const message = catalogue[key]![language];
    const text =
      typeof message === 'string'
        ? message
        : message[new Intl.PluralRules(locale).select(Number(values.count)) === 'one' ? 'one' : 'other'];
    return text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name] ?? '';
      return typeof value === 'number' ? new Intl.NumberFormat(locale).format(value) : value;
    });
  };
}
