/** The calls of the API as methods, over a description of each (describe.ts). */
import type { Static, TSchema } from 'typebox';
import type { ImportProgress } from '../contract/imports.ts';
import type { Contracts } from '../contract/index.ts';
import type { Problem } from '../contract/problem.ts';
import type { Call, Calls } from './describe.ts';
import { readEvents } from './events.ts';

/** The bytes of an upload: whole, or as they are read. */
export type Upload = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** What a call takes: path parameters and query fields together, and the body apart. */
type Arguments<C> = (C extends { params: infer P extends TSchema } ? Static<P> : unknown) &
  (C extends { query: infer Q extends TSchema } ? Static<Q> : unknown) &
  (C extends { body: infer B extends TSchema } ? { body: Static<B> } : unknown) &
  (C extends { streams: readonly (infer T)[] } ? { content_type: T; upload: Upload } : unknown) &
  (C extends { progress: true } ? { on_progress?: (progress: ImportProgress) => void } : unknown);

type Result<C> = C extends { response: infer R extends Record<number, TSchema> }
  ? { [S in keyof R]: Static<R[S] & TSchema> }[keyof R]
  : never;

/** What goes along with a call, beside its arguments. */
export interface Extras {
  /** Makes a repeat of a POST harmless: it is answered as the first time was. */
  idempotency_key?: string;
  /** The version that a change is meant for, as it stood in `ETag`. */
  if_match?: string;
  signal?: AbortSignal;
}

export type Client = {
  [N in keyof Contracts]: (input: Arguments<Contracts[N]>, extras?: Extras) => Promise<Result<Contracts[N]>>;
};

/** The server answered with a problem; its `problem` says what is wrong and what to do. */
export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export interface ClientOptions {
  /** Where the server is, for example http://127.0.0.1:8000. */
  origin: string;
  /** The access token to send, if there is one. */
  token?: () => string | null;
  fetch?: typeof fetch;
}

/** The request that a contract describes. */
export function toRequest(
  { method, url, query, streams }: Call,
  { origin, token }: ClientOptions,
  input: Record<string, unknown>,
  { idempotency_key, if_match, signal }: Extras = {},
): Request {
  const path = url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(input[name])));
  const target = new URL(path, origin);
  for (const name of query) {
    if (input[name] !== undefined) target.searchParams.set(name, String(input[name]));
  }
  const headers = new Headers();
  const bearer = token?.();
  if (bearer) headers.set('authorization', `Bearer ${bearer}`);
  if (idempotency_key) headers.set('idempotency-key', idempotency_key);
  if (if_match) headers.set('if-match', if_match);
  const init = { method, headers, ...(signal ? { signal } : {}) };
  if (streams) {
    headers.set('content-type', String(input.content_type));
    if (input.on_progress) headers.set('accept', 'text/event-stream');
    const body = input.upload as Upload;
    return new Request(target, { ...init, body, duplex: 'half' } as RequestInit);
  }
  if (input.body === undefined) return new Request(target, init);
  headers.set('content-type', 'application/json');
  return new Request(target, { ...init, body: JSON.stringify(input.body) });
}

/** @throws ApiError where the server answers with a problem; whatever fetch throws where it does not answer */
export function clientOver(calls: Calls, options: ClientOptions): Client {
  const send = options.fetch ?? fetch;
  const methods = Object.entries(calls).map(([name, call]) => [
    name,
    async (input: Record<string, unknown> = {}, extras: Extras = {}) => {
      const response = await send(toRequest(call, options, input, extras));
      if (response.status === 204) return null;
      const type = response.headers.get('content-type') ?? '';
      if (type.startsWith('text/event-stream') && input.on_progress) {
        const ending = await readEvents(response.body!, input.on_progress as () => void);
        if (!ending) throw new TypeError('The connection broke before the answer came.');
        if ('problem' in ending) throw new ApiError(ending.problem);
        return ending.report;
      }
      // A download: its bytes as they come.
      if (response.ok && !type.startsWith('application/json')) return response.body;
      const body = await response.json();
      if (!response.ok) throw new ApiError(body as Problem);
      return body;
    },
  ]);
  return Object.fromEntries(methods);
}
