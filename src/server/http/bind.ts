/** Binds a contract to the function that answers it: credentials, content type, validation, serialisation. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { PROBLEMS, Problem } from '../../contract/problem.ts';
import { type Contract, scopeOf } from '../../contract/schema.ts';
import type { Caller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { authenticate, requireScope } from './authenticate.ts';
import { entityTag, matchesStrongly, matchesWeakly, readTags } from './etag.ts';
import { answerWithEvents, wantsEvents } from './events.ts';
import { fingerprintOf, idempotencyKey, onlyOnce } from './idempotency.ts';
import { mediaType, TEXT_TYPES } from './json-body.ts';
import type { Limiter } from './rate-limit.ts';

type In<S> = S extends TSchema ? Static<S> : undefined;

/** What a handler gets: validated input, and who asks (not to be looked at on public routes). */
export interface Input<C extends Contract> {
  params: In<C['params']>;
  query: In<C['query']>;
  body: In<C['body']>;
  caller: Caller;
  /** The server's, as this request has to use them: with its Idempotency-Key and its If-Match. */
  deps: Deps;
  request: FastifyRequest;
  reply: FastifyReply;
}

type Answer<C extends Contract> = {
  [S in keyof C['response']]: { status: S; body: Static<C['response'][S] & TSchema> };
}[keyof C['response']];

type Handle = (input: object) => Promise<{ status: number; body: unknown }>;

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
  {
    method,
    response,
    errors,
    public: open,
    role,
    body,
    params,
    query,
    streams,
    limit,
    download = ['application/json'],
  }: Contract,
) {
  const problem = { 'application/problem+json': { schema: withReferences(app, Problem) } };
  const codes = new Set(errors);
  if (!open) codes.add('not_authenticated').add('insufficient_scope');
  if (role) codes.add('role_too_low');
  if (body || params || query) codes.add('validation_failed');
  if (body)
    for (const code of ['invalid_json', 'body_too_large', 'unsupported_media_type'] as const) codes.add(code);
  if (streams) codes.add('unsupported_media_type');
  if (method === 'POST' && !open) codes.add('idempotency_key_reused');
  if (method === 'PATCH' || method === 'DELETE') codes.add('precondition_failed');
  if (limit !== 'none') codes.add('rate_limited');
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
          content: Object.fromEntries(
            download.map((type) => [type, { schema: withReferences(app, schema) }]),
          ),
        },
  ]);
  return Object.fromEntries([...successes, ...described]);
}

/** What the contract says of itself, the role it needs, and the scope of an API key. */
function describe(contract: Contract): { description?: string } {
  const { description, role } = contract;
  const needs = role && `Role: ${role}${role === 'owner' ? '' : ' or higher'}.`;
  const scope = scopeOf(contract);
  const key = scope === null ? undefined : `API key: scope \`${scope}\`.`;
  const said = [description, needs, key].filter((part) => part !== undefined).join('\n\n');
  return said ? { description: said } : {};
}

/** Which credentials the call takes, where that is not an access token only. */
function credentials(contract: Contract): { security?: Record<string, string[]>[] } {
  if (contract.public) return { security: [] };
  const scope = scopeOf(contract);
  return scope === null ? {} : { security: [{ bearer: [] }, { api_key: [scope] }] };
}

/** Refuses a body that the contract does not take, before any parser looks at it. */
function checkContentType(contract: Contract, request: FastifyRequest): void {
  const accepted = contract.streams ?? ['application/json', ...(contract.text ? TEXT_TYPES : [])];
  const header = request.headers['content-type'];
  const empty = header === undefined && !request.headers['transfer-encoding'];
  if (empty && Number(request.headers['content-length'] ?? 0) === 0) {
    if (Type.IsOptional(contract.body)) {
      request.body = {};
      return;
    }
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

const JSON_TYPE = 'application/json; charset=utf-8';

/** Does the work of a request, and only once where it carries an Idempotency-Key. @returns the answer as it is to be sent */
async function performOnce(
  deps: Deps,
  key: string | null,
  contract: Contract,
  request: FastifyRequest,
  reply: FastifyReply,
  perform: (deps: Deps) => Promise<{ status: number; body: unknown }>,
) {
  const work = async (own: Deps) => {
    const before = new Set(Object.keys(reply.getHeaders()));
    const { status, body } = await perform(own);
    const added = Object.entries(reply.getHeaders()).filter(([name]) => !before.has(name));
    return {
      status,
      headers: Object.fromEntries(added) as Record<string, string>,
      body:
        status === 204
          ? null
          : reply.serializeInput(body as Record<string, unknown>, status as never, 'application/json'),
    };
  };
  if (key === null) return { sent: await work(deps), replayed: false };
  return onlyOnce(deps, request.caller!.user_id, key, fingerprintOf(contract, request), work);
}

/** Answers a request whose Idempotency-Key makes its answer one to be kept. */
async function answerOnce(...how: Parameters<typeof performOnce>) {
  const [, , , , reply] = how;
  const { sent, replayed } = await performOnce(...how);
  if (replayed) reply.headers(sent.headers).header('idempotency-replayed', 'true');
  reply.code(sent.status);
  return sent.body === null ? reply.send() : reply.type(JSON_TYPE).send(sent.body);
}

export function makeBind(app: FastifyInstance, deps: Deps, limit: Limiter): Bind {
  const identify = authenticate(deps);
  /** What answers with the resource at a url. */
  const resources = new Map<string, Handle>();

  /** The version check that a change is to make in its transaction: by what GET answers there. */
  function versionCheck(url: string, tags: '*' | string[], input: object): Deps['checkVersion'] {
    const get = resources.get(url);
    if (!get) {
      const detail =
        'Nothing at this address has an ETag that If-Match could name: send the change without it.';
      throw new DomainError('precondition_failed', detail);
    }
    return async (tx) => {
      const { body } = await get({ ...input, deps: { ...deps, db: { read: tx } } });
      if (matchesStrongly(tags, entityTag(body))) return;
      const detail =
        'This has changed since the version that If-Match names: get it again, and see whether the change still fits.';
      throw new DomainError('precondition_failed', detail);
    };
  }

  return (contract, handle) => {
    const { method, url } = contract;
    if (method === 'GET' && contract.etag) resources.set(url, handle as unknown as Handle);

    /** Does what the contract says; an answer that is one resource carries its version. */
    async function perform(request: FastifyRequest, reply: FastifyReply, own: Deps) {
      const { params, query, body, headers } = request;
      const caller = { ...request.caller, needs: contract.role };
      const input = { params, query, body, caller, request, reply, deps: own };
      const if_match = headers['if-match'];
      if (if_match !== undefined && (method === 'PATCH' || method === 'DELETE')) {
        input.deps = { ...own, checkVersion: versionCheck(url, readTags('If-Match', if_match), input) };
      }
      const answered = await (handle as unknown as Handle)(input);
      if (contract.etag) reply.header('etag', entityTag(answered.body));
      return answered;
    }

    app.route({
      method,
      url,
      schema: {
        operationId: contract.name,
        summary: contract.summary,
        ...describe(contract),
        tags: [contract.tag],
        ...credentials(contract),
        ...(contract.params ? { params: withReferences(app, contract.params) } : {}),
        ...(contract.query ? { querystring: withReferences(app, contract.query) } : {}),
        ...(contract.body ? { body: withReferences(app, contract.body) } : {}),
        response: responses(app, contract),
      },
      onRequest: async (request, reply) => {
        try {
          if (!contract.public) request.caller = await identify(request, contract);
        } finally {
          await limit(request, reply, contract);
        }
        if (request.caller) requireScope(request.caller, contract);
        if (contract.body || contract.streams) checkContentType(contract, request);
      },
      preValidation: async ({ params, query }) => {
        readStrings(contract.params, params as Record<string, unknown>);
        readStrings(contract.query, query as Record<string, unknown>);
      },
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        const key = idempotencyKey(contract, request);
        if (wantsEvents(contract, request)) {
          const own = (its: Deps) => perform(request, reply, its);
          const once = () => performOnce(deps, key, contract, request, reply, own);
          return answerWithEvents(request, reply, async () => (await once()).sent.body);
        }
        if (key !== null) {
          return answerOnce(deps, key, contract, request, reply, (own) => perform(request, reply, own));
        }
        const { status, body } = await perform(request, reply, deps);
        const known = request.headers['if-none-match'];
        const is_known =
          contract.etag &&
          method === 'GET' &&
          known !== undefined &&
          matchesWeakly(readTags('If-None-Match', known), String(reply.getHeader('etag')));
        if (is_known) return reply.code(304).send();
        reply.code(Number(status));
        if (contract.download && !reply.hasHeader('content-type')) reply.type(contract.download[0]!);
        return status === 204 ? reply.send() : body;
      },
    });
  };
}
