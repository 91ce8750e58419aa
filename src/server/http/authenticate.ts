/** Who asks: the user behind the bearer token, as long as its session goes on. What they may do each action decides. */
import type { FastifyRequest } from 'fastify';
import { type Contract, scopeOf } from '../../contract/schema.ts';
import type { Caller } from '../auth/caller.ts';
import { findSession } from '../auth/store.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { identify } from '../keys/actions.ts';
import { isApiKey } from '../keys/secret.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on public routes. */
    caller: Caller | null;
  }
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

/** The API key of a device that cannot send another header; undefined where there is none. */
function deviceKey({ headers }: FastifyRequest): string | undefined {
  return [headers.apikey, headers['x-api-key']].find((value) => typeof value === 'string');
}

/** @returns who asks; throws not_authenticated */
export function authenticate(deps: Deps): (request: FastifyRequest, contract: Contract) => Promise<Caller> {
  const { accessTokens, db } = deps;
  return async (request, { device }) => {
    const bearer = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const token = bearer ?? (device && deviceKey(request));
    if (!token) {
      throw new DomainError(
        'not_authenticated',
        device
          ? 'Send an API key as Authorization: Bearer <key>, or in the header APIKEY or X-API-Key.'
          : 'Sign in and send the access token as Authorization: Bearer <token>.',
      );
    }
    if (bearer === undefined || isApiKey(token)) {
      const caller = await identify(deps, token);
      if (caller) return caller;
      throw new DomainError('not_authenticated', 'The API key is not valid, was deleted, or has expired.');
    }
    const claims = await accessTokens.verify(token);
    // Asked on every request, so that a session that was ended is refused at once.
    const session = claims && (await findSession(db.read, claims.session));
    if (!session || session.user_id !== claims.user_id) {
      throw new DomainError(
        'not_authenticated',
        'The access token is not valid, or its session has ended: sign in again.',
      );
    }
    return { ...claims, api_key: null };
  };
}

/** Throws insufficient_scope where the caller came with a key that is not for such a call. */
export function requireScope({ api_key }: Caller, contract: Contract): void {
  const scope = scopeOf(contract);
  if (api_key === null || (scope !== null && api_key.scopes.includes(scope))) return;
  throw new DomainError(
    'insufficient_scope',
    scope === null
      ? 'No API key may make this call: sign in, and send the access token.'
      : `This call needs an API key with the scope ${scope}.`,
  );
}
