/** Who asks: the user behind the bearer token. What they may do is decided by each action, from the database. */
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on public routes. */
    caller: Caller | null;
  }
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

/** @returns who asks; throws not_authenticated */
export function authenticate({ accessTokens }: Deps): (request: FastifyRequest) => Promise<Caller> {
  return async (request) => {
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (!token) {
      throw new DomainError(
        'not_authenticated',
        'Sign in and send the access token as Authorization: Bearer <token>.',
      );
    }
    const user_id = await accessTokens.verify(token);
    if (user_id === null) {
      throw new DomainError(
        'not_authenticated',
        'The access token is not valid or has expired: sign in again.',
      );
    }
    return { user_id };
  };
}
