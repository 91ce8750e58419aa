/** Who is signed in here. The access token lives in memory; the refresh token in a cookie that no script can read. */
import calls from 'virtual:calls';
import { ApiError, type Client, clientOver } from '../client/calls.ts';

/** `unknown` until the server was asked; `yes` too where it cannot be reached and the last answer was yes. */
export type SignedIn = 'yes' | 'no' | 'unknown';

/** Whether this browser was signed in when it was last asked: without coverage nobody else can say. */
const WAS_SIGNED_IN = 'electric.signed-in';

let access_token: string | null = null;
let signed_in: SignedIn = 'unknown';
const listeners = new Set<() => void>();

function become(now: SignedIn, token: string | null): void {
  const changed = now !== signed_in;
  access_token = token;
  signed_in = now;
  if (now === 'yes') localStorage.setItem(WAS_SIGNED_IN, '1');
  else localStorage.removeItem(WAS_SIGNED_IN);
  if (changed) for (const listener of listeners) listener();
}

/** @param listener called when somebody signs in or out, or the session turns out to be over @returns stops it */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function signedIn(): SignedIn {
  return signed_in;
}

const origin = location.origin;
/** For calls that need no credentials. */
export const anonymous: Client = clientOver(calls, { origin });

/** One tab at a time: a refresh token that two use at once ends the session. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request('electric-refresh', work) : work();
}

let renewing: Promise<void> | null = null;

/** The cookie is gone, or good for nothing any more. Too many requests, or no answer, say nothing about it. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.problem.status < 500 && error.problem.status !== 429;
}

async function renewNow(): Promise<void> {
  try {
    const tokens = await alone(() => anonymous.refresh({ body: {} }));
    become('yes', tokens.access_token);
  } catch (error) {
    if (isRefusal(error)) become('no', null);
    else if (signed_in === 'unknown' && localStorage.getItem(WAS_SIGNED_IN)) become('yes', null);
    throw error;
  }
}

/** Exchanges the cookie for a new access token; throws ApiError where there is no session any more. */
export function renew(): Promise<void> {
  renewing ??= renewNow().finally(() => {
    renewing = null;
  });
  return renewing;
}

/** Finds out whether somebody is signed in; asks no server where nobody ever was. */
export async function loadSession(): Promise<void> {
  if (signed_in !== 'unknown') return;
  if (localStorage.getItem(WAS_SIGNED_IN)) await renew().catch(() => {});
  else become('no', null);
}

/** @param username or email address */
export async function signIn(username: string, password: string): Promise<void> {
  const tokens = await anonymous.login({ body: { username, password, use_cookie: true } });
  become('yes', tokens.access_token);
}

/** Ends the session, here and at the server. Throws where the server cannot be reached: then it goes on. */
export async function signOut(): Promise<void> {
  await api.logout({ body: {} });
  become('no', null);
}

/** Sends a request with the access token; one that has run out is renewed, and the request sent once more. */
const authenticated: typeof fetch = async (input, init) => {
  if (access_token === null) await renew();
  const request = new Request(input, init);
  const again = request.clone();
  request.headers.set('authorization', `Bearer ${access_token}`);
  const response = await fetch(request);
  if (response.status !== 401) return response;
  await renew();
  again.headers.set('authorization', `Bearer ${access_token}`);
  return fetch(again);
};

/** Every call of the API, as the signed-in user. */
export const api: Client = clientOver(calls, { origin, fetch: authenticated });
