/** The refresh token of a browser, in a cookie that no script can read and no other site can use. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Tokens } from '../../contract/auth.ts';
import { DomainError } from '../errors.ts';
import { REFRESH_LIFETIME_MS } from './actions.ts';

const NAME = '__Host-electric_refresh';

function setCookie(reply: FastifyReply, value: string, max_age_s: number): void {
  reply.header(
    'set-cookie',
    `${NAME}=${value}; Path=/; Max-Age=${max_age_s}; HttpOnly; Secure; SameSite=Strict`,
  );
}

/** Moves the refresh token from the answer into the cookie. */
export function intoCookie(reply: FastifyReply, tokens: Tokens): Tokens {
  setCookie(reply, tokens.refresh_token!, REFRESH_LIFETIME_MS / 1000);
  return { ...tokens, refresh_token: null };
}

export function clearCookie(reply: FastifyReply): void {
  setCookie(reply, '', 0);
}

/** @returns the refresh token in the cookie, null if there is none; throws cross_site */
export function fromCookie(request: FastifyRequest, public_url: string | null): string | null {
  const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
  const token = cookies.find((cookie) => cookie.startsWith(`${NAME}=`))?.slice(NAME.length + 1);
  if (!token) return null;
  checkSameOrigin(request, public_url);
  return token;
}

/**
 * Throws cross_site unless a page of this very server sends the request, as the browser says: whatever uses a cookie
 * must not be triggered from elsewhere.
 * @param public_url the server's address, where a proxy changes the host
 */
export function checkSameOrigin(request: FastifyRequest, public_url: string | null): void {
  const { 'sec-fetch-site': site, origin } = request.headers;
  const is_ours = public_url ? origin === public_url : URL.parse(origin ?? '')?.host === request.host;
  // Only old browsers don't say it outright.
  const is_same = site === undefined ? is_ours : site === 'same-origin';
  if (is_same) return;
  throw new DomainError(
    'cross_site',
    "The cookie is taken only from a page of this server. A program sends the refresh token in the body, without 'use_cookie'.",
  );
}
