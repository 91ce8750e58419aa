/** A typed fetch over the contracts: one method per contract, named as it is. */
import type { Static, TSchema } from 'typebox';
import type { ImportProgress } from '../contract/imports.ts';
import { type Contracts, contracts } from '../contract/index.ts';
import type { Problem } from '../contract/problem.ts';
import type { Contract } from '../contract/schema.ts';
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

export type Client = {
  [N in keyof Contracts]: (input: Arguments<Contracts[N]>) => Promise<Result<Contracts[N]>>;
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
  { method, url, query, streams }: Contract,
  { origin, token }: ClientOptions,
  input: Record<string, unknown>,
): Request {
  const path = url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(input[name])));
  const target = new URL(path, origin);
  for (const name of Object.keys(query?.properties ?? {})) {
    if (input[name] !== undefined) target.searchParams.set(name, String(input[name]));
  }
  const headers = new Headers();
  const bearer = token?.();
  if (bearer) headers.set('authorization', `Bearer ${bearer}`);
  if (streams) {
    headers.set('content-type', String(input.content_type));
    if (input.on_progress) headers.set('accept', 'text/event-stream');
    const body = input.upload as Upload;
    return new Request(target, { method, headers, body, duplex: 'half' } as RequestInit);
  }
  if (input.body === undefined) return new Request(target, { method, headers });
  headers.set('content-type', 'application/json');
  return new Request(target, { method, headers, body: JSON.stringify(input.body) });
}

/** @throws ApiError where the server answers with a problem; whatever fetch throws where it does not answer */
export function createClient(options: ClientOptions): Client {
  const send = options.fetch ?? fetch;
  const calls = Object.values(contracts).map((contract: Contract) => [
    contract.name,
    async (input: Record<string, unknown> = {}) => {
      const response = await send(toRequest(contract, options, input));
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
  return Object.fromEntries(calls);
}
