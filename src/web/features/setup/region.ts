/** What is likely where the browser stands: the person may choose otherwise. */
import { currentLocale } from '../../languages/index.ts';

const CURRENCIES: Record<string, string> = {
  CH: 'CHF',
  CZ: 'CZK',
  DK: 'DKK',
  GB: 'GBP',
  HU: 'HUF',
  IS: 'ISK',
  NO: 'NOK',
  PL: 'PLN',
  RO: 'RON',
  SE: 'SEK',
  US: 'USD',
};

export function likelyTimezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function likelyCurrency(): string {
  const { region } = new Intl.Locale(currentLocale()).maximize();
  return CURRENCIES[region ?? ''] ?? 'EUR';
}

export function timezones(): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  const likely = likelyTimezone();
  return known.includes(likely) ? known : [likely, ...known];
}

/** Code and name of every currency, in the language of the app. */
export function currencies(): { code: string; name: string }[] {
  const names = new Intl.DisplayNames(currentLocale(), { type: 'currency' });
  return Intl.supportedValuesOf('currency').map((code) => ({ code, name: names.of(code) ?? code }));
}
