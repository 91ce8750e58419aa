/** The scalars and shapes that every contract is made of. */
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import type { LimitName } from './limits.ts';
import type { ProblemCode } from './problem.ts';

/** A check beyond JSON Schema, carried out by the server's validator; its sentence goes into the 422. */
export type Check =
  | 'kwh'
  | 'instant'
  | 'past-instant'
  | 'date-or-instant'
  | 'timezone'
  | 'locale'
  | 'currency'
  | 'text'
  | 'note'
  | 'factor';

function checked<T>(check: Check, schema: object) {
  return Type.Unsafe<T>({ ...schema, 'x-check': check });
}

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** Energy or a register value in a request: kWh as a decimal string, or a JSON number. */
export const KwhInput = checked<string | number>('kwh', {
  type: ['string', 'number'],
  description: 'kWh with at most three decimals, 0 … 999999999.999; a decimal string, or a number',
  examples: ['250.5'],
});

/** Energy or a register value in an answer. */
export const Kwh = Type.String({ description: 'kWh, an exact decimal', examples: ['250.5'] });

const INSTANT = { type: 'string', examples: ['2026-03-29T12:00:00Z'] };
export const InstantInput = checked<string>('instant', {
  ...INSTANT,
  description: 'RFC 3339 with an offset',
});
export const PastInstantInput = checked<string>('past-instant', {
  ...INSTANT,
  description: 'RFC 3339 with an offset; not more than five minutes ahead of the server',
});
export const DateOrInstantInput = checked<string>('date-or-instant', {
  type: 'string',
  description:
    "RFC 3339 with an offset, or a date: the first instant of that day in the property's time zone",
  examples: ['2026-03-29'],
});
export const Instant = Type.String({
  format: 'date-time',
  description: 'UTC',
  examples: ['2026-03-29T12:00:00Z'],
});

export const Timezone = checked<string>('timezone', {
  type: 'string',
  description: 'IANA time zone',
  examples: ['Europe/Stockholm'],
});
export const Locale = checked<string>('locale', {
  type: 'string',
  maxLength: 100,
  description: 'BCP 47 language tag, in the form that ECMA-402 knows',
  examples: ['sv-SE'],
});
export const Currency = checked<string>('currency', {
  type: 'string',
  description: 'ISO 4217 code',
  examples: ['SEK'],
});

/** A line of text a person wrote: trimmed, not empty, no control characters. */
export const Text = (maxLength: number) =>
  checked<string>('text', { type: 'string', minLength: 1, maxLength });

/** What a person wrote over several lines: a note, an address. */
export const Note = (maxLength: number) =>
  checked<string>('note', { type: 'string', minLength: 1, maxLength });

/** Why somebody corrects or takes back what was recorded. */
export const Reason = checked<string>('note', {
  type: 'string',
  minLength: 1,
  maxLength: 500,
  description: 'Why, in a few words: it stays in the ledger beside who and when',
  examples: ['misread'],
});

/** Part of a name to look for; an empty one finds everything. */
export const Search = (of: string) =>
  checked<string>('text', {
    type: 'string',
    maxLength: 200,
    description: `Part of the ${of}, upper or lower case`,
  });

/** One of a fixed list of words. */
export function OneOf<const W extends string>(words: readonly W[], options: object = {}) {
  return Type.Unsafe<W>({ type: 'string', enum: [...words], ...options });
}

/** `schema`, or null. */
export function Nullable<S extends TSchema>(schema: S) {
  const { type, enum: words, ...rest } = schema as unknown as { type: string | string[]; enum?: unknown[] };
  const types = [type, 'null'].flat();
  return Type.Unsafe<Static<S> | null>({
    ...rest,
    type: types,
    ...(words ? { enum: [...words, null] } : {}),
  });
}

/** A closed object: a field it does not name is refused, not dropped. */
export function Closed<P extends Record<string, TSchema>>(properties: P, options: object = {}) {
  return Type.Object(properties, { ...options, additionalProperties: false });
}

/** What a list may be sorted by; with `-` the other way round. */
export function Sort<const F extends string>(fields: readonly F[]) {
  const words = fields.flatMap((field) => [field, `-${field}`] as const);
  return OneOf<F | `-${F}`>(words, { description: 'With `-` descending', default: fields[0] });
}

export const MAX_PAGE = 1000;
export const Page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 100 })),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })),
};

/** The envelope of every list. */
export function List<S extends TSchema>(item: S) {
  return Type.Object({
    items: Type.Array(item),
    total: Type.Integer(),
    limit: Type.Integer(),
    offset: Type.Integer(),
  });
}

/** A page of a collection that may be large. */
export const CursorPage = {
  ...Page,
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description:
        'The `next_cursor` of the page before, with the same filters: deep pages cost what the first one costs',
    }),
  ),
};

/** The envelope of a collection that may be large. */
export function CursorList<S extends TSchema>(item: S) {
  return Type.Object({
    items: Type.Array(item),
    total: Type.Integer({ description: 'With a cursor: as it was when the first page was asked for' }),
    limit: Type.Integer(),
    offset: Type.Integer(),
    next_cursor: Nullable(Type.String({ description: 'For the next page; null where this is the last' })),
  });
}

/** What members of a property may be, from the one that may do everything to the one that may do least. */
export const ROLES = ['owner', 'editor', 'reader', 'tenant'] as const;
export type Role = (typeof ROLES)[number];

/** What an API key may be for. */
export const SCOPES = ['read', 'readings:write'] as const;
export type Scope = (typeof SCOPES)[number];

/** What a route promises: handler, validation, serialisation, OpenAPI and the typed client all come from it. */
export interface Contract {
  /** The operation's name, unique among all contracts; also the name of the client's method. */
  name: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the origin, parameters as `:name`. */
  url: `/api/${string}`;
  summary: string;
  description?: string;
  tag: string;
  /** Works without credentials. */
  public?: true;
  /** For calls inside a property: the lowest role that may make them. One that names none is for owners. */
  role?: Role;
  /** The scope with which an API key may make the call; null: never. If it is not said, scopeOf decides. */
  scope?: Scope | null;
  /** Answers with one resource, whose version stands in `ETag`; where it is the GET of a url, so is what If-Match names. */
  etag?: true;
  /** The class of requests it counts in; if not said, `read` for GET and `write` for the rest. */
  limit?: LimitName | 'none';
  params?: TObject;
  query?: TObject;
  body?: TSchema;
  /** Devices call it: their API key may also come in the header `APIKEY` or `X-API-Key`. */
  device?: true;
  /** The body may also be a bare text, which then is the field `value`. */
  text?: true;
  /** Content types of a body that is read as a stream instead of as JSON. */
  streams?: readonly string[];
  /** With `Accept: text/event-stream` the call tells how far it has come, and at last its answer (http/events.ts). */
  progress?: true;
  /** Content types of an answer that is a file instead of JSON: the first, unless the handler says otherwise. */
  download?: readonly string[];
  /** Status → body of each success; the handler answers with the first unless it says otherwise. */
  response: Readonly<Record<number, TSchema>>;
  errors: readonly ProblemCode[];
}

export function contract<const C extends Contract>(definition: C): C {
  return definition;
}

/** The scope that a call needs; null where no API key may make it. What every member may read, a key may: no more. */
export function scopeOf({ scope, method, role }: Contract): Scope | null {
  if (scope !== undefined) return scope;
  return method === 'GET' && role !== undefined && role !== 'owner' ? 'read' : null;
}
