/** Binds a contract to the function that answers it: credentials, content type, validation, serialisation. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Static, TObject, TSchema } from 'typebox';
import { PROBLEMS, Problem } from '../../contract/problem.ts';
import type { Contract } from '../../contract/schema.ts';
import type { Caller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { authenticate } from './authenticate.ts';
import { mediaType } from './json-body.ts';

type In<S> = S extends TSchema ? Static<S> : undefined;

/** What a handler gets: validated input, and who asks (not to be looked at on public routes). */
export interface Input<C extends Contract> {
  params: In<C['params']>;
  query: In<C['query']>;
  body: In<C['body']>;
  caller: Caller;
  request: FastifyRequest;
  reply: FastifyReply;
}

type Answer<C extends Contract> = {
  [S in keyof C['response']]: { status: S; body: Static<C['response'][S] & TSchema> };
}[keyof C['response']];

export type Bind = <C extends Contract>(contract: C, handle: (input: Input<C>) => Promise<Answer<C>>) => void;

/** One of the answers that a contract promises. */
export function answer<const S extends number, B>(status: S, body: B): { status: S; body: B } {
  return { status, body };
}

/** What a call speaks of, and whether it added that or found it there. */
export interface Outcome<T> {
  created: boolean;
  body: T;
}

/** 201 for what was added, 200 for what was there. */
export function answerOutcome<T>({ created, body }: Outcome<T>) {
  return answer(created ? 201 : 200, body);
}

/** What a slice's routes get handed. */
export interface Routes {
  app: FastifyInstance;
  deps: Deps;
  bind: Bind;
}

const named = new WeakMap<FastifyInstance, Set<string>>();

/** Replaces every named schema by a reference to it and makes it known to the app, so that it is described once. */
function withReferences(app: FastifyInstance, schema: unknown, isRoot = false): unknown {
  if (Array.isArray(schema)) return schema.map((part) => withReferences(app, part));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $id, ...rest } = schema as { $id?: string };
  const parts = Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, withReferences(app, v)]));
  if ($id === undefined || isRoot) return parts;
  const known = named.get(app) ?? new Set();
  named.set(app, known);
  if (!known.has($id)) {
    known.add($id);
    app.addSchema({ $id, ...parts });
  }
  return { $ref: `${$id}#` };
}

function responses(
  app: FastifyInstance,
  { response, errors, public: open, body, params, query, streams, download = 'application/json' }: Contract,
) {
  const problem = { 'application/problem+json': { schema: withReferences(app, Problem) } };
  const codes = new Set(errors);
  if (!open) codes.add('not_authenticated');
  if (body || params || query) codes.add('validation_failed');
  if (body)
    for (const code of ['invalid_json', 'body_too_large', 'unsupported_media_type'] as const) codes.add(code);
  if (streams) codes.add('unsupported_media_type');
  const failures = new Map<number, string[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    failures.set(status, [...(failures.get(status) ?? []), code]);
  }
  const described = [...failures]
    .sort()
    .map(([status, list]) => [status, { description: `code: ${list.join(', ')}`, content: problem }]);
  const successes = Object.entries(response).map(([status, schema]) => [
    status,
    status === '204'
      ? { description: 'Done', type: 'null' }
      : {
          description: status === '201' ? 'Created' : 'The answer',
          content: { [download]: { schema: withReferences(app, schema) } },
        },
  ]);
  return Object.fromEntries([...successes, ...described]);
}

/** Refuses a body that the contract does not take, before any parser looks at it. */
function checkContentType(contract: Contract, request: FastifyRequest): void {
  const accepted = contract.streams ?? ['application/json'];
  const header = request.headers['content-type'];
  const empty = header === undefined && !request.headers['transfer-encoding'];
  if (empty && Number(request.headers['content-length'] ?? 0) === 0) {
    throw new DomainError('invalid_request', `This call needs a body of type ${accepted.join(' or ')}.`);
  }
  const type = mediaType(header);
  if (type === null || !accepted.includes(type)) {
    throw new DomainError('unsupported_media_type', `Send Content-Type: ${accepted.join(' or ')}, in UTF-8.`);
  }
  // From here on only the bare type is seen, so that no parser can understand the header differently.
  request.headers['content-type'] = type;
}

const PERIOD_CHECKS = ['instant', 'date-or-instant'];

/**
 * Paths and queries say everything in letters: turns plain whole numbers, true and false into what the contract asks
 * for, and leaves the rest for validation to refuse. Words are accepted in upper case too; a space is what `+` before an
 * offset becomes when nobody escaped it.
 */
function readStrings(schemas: TObject | undefined, values: Record<string, unknown>): void {
  for (const [name, schema] of Object.entries(schemas?.properties ?? {})) {
    const value = values[name];
    if (typeof value !== 'string') continue;
    const { type, 'x-check': check } = schema as { type?: string; 'x-check'?: string };
    if ('enum' in schema) values[name] = value.toLowerCase();
    else if (PERIOD_CHECKS.includes(check!)) values[name] = value.replace(/ (?=\d\d:\d\d$)/, '+');
    else if (type === 'integer' && /^(0|-?[1-9]\d{0,15})$/.test(value)) values[name] = Number(value);
    else if (type === 'boolean' && /^(true|false)$/i.test(value))
      values[name] = value.toLowerCase() === 'true';
  }
}

export function makeBind(app: FastifyInstance, deps: Deps): Bind {
  const identify = authenticate(deps);
  return (contract, handle) => {
    app.route({
      method: contract.method,
      url: contract.url,
      schema: {
        operationId: contract.name,
        summary: contract.summary,
        ...(contract.description ? { description: contract.description } : {}),
        tags: [contract.tag],
        ...(contract.public ? { security: [] } : {}),
        ...(contract.params ? { params: withReferences(app, contract.params) } : {}),
        ...(contract.query ? { querystring: withReferences(app, contract.query) } : {}),
        ...(contract.body ? { body: withReferences(app, contract.body) } : {}),
        response: responses(app, contract),
      },
      onRequest: async (request) => {
        if (!contract.public) request.caller = await identify(request);
        if (contract.body || contract.streams) checkContentType(contract, request);
      },
      preValidation: async ({ params, query }) => {
        readStrings(contract.params, params as Record<string, unknown>);
        readStrings(contract.query, query as Record<string, unknown>);
      },
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        const { status, body } = await handle({
          params: request.params,
          query: request.query,
          body: request.body,
          caller: request.caller,
          request,
          reply,
        } as never);
        reply.code(Number(status));
        if (contract.download) reply.type(contract.download);
        return status === 204 ? reply.send() : body;
      },
    });
  };
}
