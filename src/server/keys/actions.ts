/** Keys for devices and scripts. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/api-keys.ts';
import { type ApiKey, MAX_API_KEYS, type NewApiKey } from '../../contract/api-keys.ts';
import type { Scope } from '../../contract/schema.ts';
import { tidy } from '../../core/text.ts';
import { formatInstant, parseInstant } from '../../core/time.ts';
import { requireUser } from '../auth/access.ts';
import type { Caller } from '../auth/caller.ts';
import { type Listed, listed, type Page } from '../db/page.ts';
import type { Deps } from '../deps.ts';
import { DomainError, forbidden, invalid, notFound } from '../errors.ts';
import { parsed } from '../http/input.ts';
import { openProperty } from '../properties/access.ts';
import { hashSecret, isWhole, makeSecret, prefixOf } from './secret.ts';
import * as store from './store.ts';

/** How exactly the last use is known: a write for every request would cost more than most requests. */
const USE_NOTED_MS = 60_000;

const scopesOf = ({ scopes }: store.KeyRow) => JSON.parse(scopes) as Scope[];

function present(row: store.KeyRow): ApiKey {
  const { id, name, secret_prefix: prefix, property_id, created_at, expires_at, last_used_at } = row;
  return {
    id,
    name,
    prefix,
    scopes: scopesOf(row),
    property_id,
    created_at: formatInstant(created_at),
    expires_at: expires_at === null ? null : formatInstant(expires_at),
    last_used_at: last_used_at === null ? null : formatInstant(last_used_at),
  };
}

export async function createApiKey(
  { db, clock, ids }: Deps,
  caller: Caller,
  { name, scopes, property_id = null, expires_at }: Static<typeof contract.createApiKey.body>,
): Promise<NewApiKey> {
  const now_ms = clock();
  const expires_ms = expires_at ? parsed(parseInstant(expires_at)) : null;
  if (expires_ms !== null && expires_ms <= now_ms) {
    throw invalid([{ path: 'expires_at', message: 'lies in the past: the key would be refused at once' }]);
  }
  const secret = makeSecret(ids.token());
  const row = await db.write(async (tx) => {
    await requireUser(tx, caller);
    if (property_id !== null) await openProperty(tx, { ...caller, needs: 'tenant' }, property_id);
    if ((await store.countKeys(tx, caller.user_id)) >= MAX_API_KEYS) {
      throw new DomainError(
        'too_many_api_keys',
        `You have ${MAX_API_KEYS} API keys, which is as many as there may be: delete one that is not used any more.`,
      );
    }
    return store.insertKey(tx, {
      user_id: caller.user_id,
      name: tidy(name),
      secret_hash: hashSecret(secret),
      secret_prefix: prefixOf(secret),
      scopes: JSON.stringify(scopes),
      property_id,
      created_at: now_ms,
      expires_at: expires_ms,
      last_used_at: null,
    });
  });
  return { ...present(row), secret };
}

export async function listApiKeys({ db }: Deps, caller: Caller, page: Page): Promise<Listed<ApiKey>> {
  const { rows, total } = await store.listKeys(db.read, caller.user_id, page);
  return listed(rows.map(present), total, page);
}

export async function deleteApiKey({ db }: Deps, { user_id }: Caller, api_key_id: number): Promise<void> {
  await db.write(async (tx) => {
    const key = await store.findKey(tx, api_key_id);
    if (!key) throw notFound('such API key: it may have been deleted already');
    if (key.user_id !== user_id) throw forbidden('API key');
    await store.deleteKey(tx, api_key_id);
  });
}

/** @returns whom a secret speaks for, and what it may; null if it is none, was deleted or has expired */
export async function identify({ db, clock }: Deps, secret: string): Promise<Caller | null> {
  if (!isWhole(secret)) return null;
  const now_ms = clock();
  const key = await store.findKeyByHash(db.read, hashSecret(secret));
  if (!key || (key.expires_at !== null && key.expires_at <= now_ms)) return null;
  const { id, user_id, property_id, last_used_at } = key;
  if (last_used_at === null || last_used_at <= now_ms - USE_NOTED_MS) {
    await db.write((tx) => store.useKey(tx, id, now_ms));
  }
  return { user_id, session: null, api_key: { id, scopes: scopesOf(key), property_id } };
}
