/** The only reader of the environment. One table gives type, default, check and documentation of every setting. */
import {
  DATABASE_URL_FORMS,
  DEFAULT_DATABASE_TEXT,
  defaultDatabaseUrl,
  isDatabaseUrl,
} from './db/connect.ts';

interface Setting<T> {
  /** What the setting means, for the documentation. */
  meaning: string;
  /** The value where the variable is not set. */
  fallback: () => T;
  /** How the default reads in the documentation. */
  default_text: string;
  /** @returns the value, or throws an Error whose message completes "VARIABLE must …" */
  parse(text: string): T;
}

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

function wholeNumber(from: number, to: number) {
  return (text: string) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < from || value > to) {
      throw new Error(`be a whole number from ${from} to ${to}`);
    }
    return value;
  };
}

function oneOf<const W extends string>(...words: W[]) {
  return (text: string): W => {
    const word = words.find((w) => w === text);
    if (word === undefined) throw new Error(`be one of ${words.join(', ')}`);
    return word;
  };
}

export const SETTINGS = {
  HOST: setting({
    meaning: 'Address to listen on; 0.0.0.0 for every interface',
    fallback: () => '127.0.0.1',
    default_text: '127.0.0.1',
    parse: (text) => text,
  }),
  PORT: setting({
    meaning: 'Port to listen on; 0 for any free one',
    fallback: () => 8000,
    default_text: '8000',
    parse: wholeNumber(0, 65_535),
  }),
  DATABASE_URL: setting({
    meaning: `Where the ledger is kept: ${DATABASE_URL_FORMS}`,
    fallback: defaultDatabaseUrl,
    default_text: DEFAULT_DATABASE_TEXT,
    parse(text) {
      if (!isDatabaseUrl(text)) throw new Error(`have the form ${DATABASE_URL_FORMS}`);
      return text;
    },
  }),
  SECRET_KEY: setting<string | null>({
    meaning: 'Secret from which the keys that sign tokens are derived; at least 32 characters',
    fallback: () => null,
    default_text: 'required in production; otherwise generated and kept in `secret.key` beside the database',
    parse(text) {
      if (text.length < 32)
        throw new Error('have at least 32 characters, for example from: openssl rand -base64 48');
      return text;
    },
  }),
  ACCESS_TOKEN_EXPIRE_MINUTES: setting({
    meaning: 'Minutes for which an access token is good',
    fallback: () => 30,
    default_text: '30',
    parse: wholeNumber(1, 1440),
  }),
  LOG_LEVEL: setting({
    meaning: 'How much is logged: trace, debug, info, warn, error, fatal or silent',
    fallback: () => 'info' as const,
    default_text: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  }),
  NODE_ENV: setting({
    meaning: '`production` makes SECRET_KEY required',
    fallback: () => 'development' as const,
    default_text: 'development',
    parse: oneOf('development', 'production', 'test'),
  }),
};

export type Config = { [K in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[K]['fallback']> };

/** Settings that are wrong, a sentence each: the server does not start with them. */
export class ConfigError extends Error {}

/**
 * @param settings `NAME=value` each, which win over the environment: how a command starts a server of its own
 * @throws ConfigError that names every wrong variable, never its value
 */
export function loadConfig(
  inherited: Record<string, string | undefined> = process.env,
  settings: readonly string[] = [],
): Config {
  const given = Object.fromEntries(settings.map((text) => text.split(/=(.*)/s)));
  const environment: typeof inherited = { ...inherited, ...given };
  const wrong: string[] = [];
  const entries = Object.entries(SETTINGS).map(([name, { parse, fallback }]) => {
    const text = environment[name];
    if (text === undefined || text === '') return [name, fallback()];
    try {
      return [name, parse(text)];
    } catch (error) {
      wrong.push(`${name} must ${(error as Error).message}.`);
      return [name, null];
    }
  });
  const config = Object.fromEntries(entries) as Config;
  if (
    config.NODE_ENV === 'production' &&
    config.SECRET_KEY === null &&
    environment.SECRET_KEY === undefined
  ) {
    wrong.push('SECRET_KEY must be set in production, for example from: openssl rand -base64 48.');
  }
  if (wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  return config;
}
