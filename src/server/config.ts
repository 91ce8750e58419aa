/** The only reader of the environment. One table gives type, default, check and documentation of every setting. */
import { isIP } from 'node:net';
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

/** Addresses and networks, as 10.0.0.0/8 or fd00::/8. */
function networks(text: string): string[] {
  const list = text.split(',').map((part) => part.trim());
  for (const part of list) {
    const [address = '', prefix, ...rest] = part.split('/');
    const bits = isIP(address) === 6 ? 128 : 32;
    const fine =
      prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bits);
    if (isIP(address) === 0 || !fine || rest.length > 0) {
      throw new Error('be off, a number of hops from 1 to 10, or networks such as 10.0.0.0/8,fd00::/8');
    }
  }
  return list;
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
  PUBLIC_URL: setting<string | null>({
    meaning:
      "Address under which people reach this server: for links in invitations and mails, and to tell a browser's own " +
      'pages from other sites',
    fallback: () => null,
    default_text:
      'unset: links are paths, and the host is the one that a request names; required where SMTP_URL is set',
    parse(text) {
      const url = URL.canParse(text) ? new URL(text) : null;
      if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash)
        throw new Error('be an address without a path, for example https://electric.example.com');
      return url.origin;
    },
  }),
  PHOTOS_URL: setting<string | null>({
    meaning:
      'Where photos of readings are kept: `file:/folder`, or storage that speaks S3 where several servers share one database: ' +
      '`s3://key:secret@host/bucket?region=…` (`s3+http://` without TLS)',
    fallback: () => null,
    default_text: 'the folder `photos` beside the database',
    parse(text) {
      const url = URL.canParse(text) ? new URL(text) : null;
      const is_s3 = url && /^s3(\+http)?:$/.test(url.protocol);
      const fine = is_s3
        ? url.username && url.password && url.host && url.pathname.length > 1
        : /^file:./.test(text);
      if (!fine) throw new Error('be file:/folder or s3://key:secret@host/bucket');
      return text;
    },
  }),
  MAX_IMPORT_MIB: setting({
    meaning:
      'The largest file that is imported, in MiB. On its way it takes about twice its size in the folder for temporary files (TMPDIR)',
    fallback: () => 2048,
    default_text: '2048',
    parse: wholeNumber(1, 1_000_000),
  }),
  RATE_LIMIT: setting({
    meaning: '`off` counts neither requests nor failed sign-ins: for load tests',
    fallback: () => 'on' as const,
    default_text: 'on',
    parse: oneOf('on', 'off'),
  }),
  SMTP_URL: setting<string | null>({
    meaning: 'Mail server: `smtp://` (STARTTLS where offered) or `smtps://user:password@host:port`',
    fallback: () => null,
    default_text: 'unset: no mail is sent',
    parse(text) {
      if (!/^smtps?:$/.test(URL.canParse(text) ? new URL(text).protocol : '') || !new URL(text).hostname)
        throw new Error('have the form smtp://user:password@host:port or smtps://…');
      return text;
    },
  }),
  MAIL_FROM: setting<string | null>({
    meaning: 'Sender of the mails',
    fallback: () => null,
    default_text: '`Electric <electric@HOST>`, with the host of PUBLIC_URL',
    parse(text) {
      if (!/^[^\s@<>]+@[^\s@<>]+$|^[^<>\n\r]+<[^\s@<>]+@[^\s@<>]+>$/.test(text))
        throw new Error('be a mail address, for example Electric <meters@example.com>');
      return text;
    },
  }),
  MQTT_URL: setting<string | null>({
    meaning:
      'MQTT broker that devices send to: `mqtt://user:password@host:port`, or `mqtts://…` over TLS ' +
      '([devices.md](devices.md))',
    fallback: () => null,
    default_text: 'unset: the server listens to no broker',
    parse(text) {
      if (!/^mqtts?:$/.test(URL.canParse(text) ? new URL(text).protocol : '') || !new URL(text).hostname)
        throw new Error('have the form mqtt://user:password@host:port or mqtts://…');
      return text;
    },
  }),
  MQTT_PROPERTIES: setting<'all' | readonly number[]>({
    meaning:
      'Ids of the properties whose editors may choose topics of that broker, comma-separated; `all` where everybody ' +
      'with an account may know everything that the broker knows',
    fallback: () => [],
    default_text: 'none',
    parse(text) {
      if (text === 'all') return text;
      const ids = text.split(',').map((part) => part.trim());
      if (!ids.every((id) => /^[1-9]\d{0,14}$/.test(id)))
        throw new Error('be all, or ids of properties such as 1,2');
      return ids.map(Number);
    },
  }),
  TRUST_PROXY: setting<false | number | string[]>({
    meaning:
      "Whose word counts for a client's address (`X-Forwarded-For`): the number of proxies in front of the server, or " +
      'their addresses and networks, comma-separated',
    fallback: () => false,
    default_text: "off: nobody's",
    parse(text) {
      if (text === 'off') return false;
      return /^([1-9]|10)$/.test(text) ? Number(text) : networks(text);
    },
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
  if (config.SMTP_URL !== null && config.PUBLIC_URL === null && environment.PUBLIC_URL === undefined)
    wrong.push('PUBLIC_URL must be set where SMTP_URL is: the links in mails need it.');
  if (wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  return config;
}
