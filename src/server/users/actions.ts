/** Who the user is, and how they leave. */
import type { Static } from 'typebox';
import type { Property } from '../../contract/properties.ts';
import type * as contract from '../../contract/users.ts';
import type { Profile } from '../../contract/users.ts';
import { parseLocale, tidy } from '../../core/text.ts';
import { formatInstant } from '../../core/time.ts';
import { requireUser } from '../auth/access.ts';
import { checkAttempts, countFailure } from '../auth/attempts.ts';
import type { Caller } from '../auth/caller.ts';
import { deleteResets, endSessions, findUser, type UserRow } from '../auth/store.ts';
import { type Listed, listed } from '../db/page.ts';
import type { Db, Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid } from '../errors.ts';
import { parsed } from '../http/input.ts';
import { forgetKeys } from '../keys/store.ts';
import { findMeter } from '../meters/store.ts';
import { sees } from '../properties/access.ts';
import { presentProperty } from '../properties/present.ts';
import { findProperty, listProperties, lockProperty, updateProperty } from '../properties/store.ts';
import * as store from './store.ts';

type Defaults = Pick<UserRow, 'default_property_id' | 'default_meter_id'>;
const NO_DEFAULTS: Defaults = { default_property_id: null, default_meter_id: null };

/** A user's property, if they are a member of it. */
async function reachable(db: Db, user_id: number, property_id: number) {
  const property = await findProperty(db, user_id, property_id);
  return property === 'stranger' ? undefined : property;
}

/** The stored defaults as far as they are within reach still: people are taken off properties and meters. */
async function defaultsOf(db: Db, user: UserRow): Promise<Defaults> {
  const { default_property_id, default_meter_id } = user;
  if (default_property_id === null) return NO_DEFAULTS;
  const property = await reachable(db, user.id, default_property_id);
  if (!property) return NO_DEFAULTS;
  const seen = default_meter_id !== null && sees(property, default_meter_id);
  return { default_property_id, default_meter_id: seen ? default_meter_id : null };
}

async function present(db: Db, user: UserRow): Promise<Profile> {
  const { id, username, email, display_name, phone_number, timezone, locale, created_at } = user;
  return {
    id,
    username,
    email,
    display_name,
    phone_number,
    timezone,
    locale,
    ...(await defaultsOf(db, user)),
    created_at: formatInstant(created_at),
  };
}

export async function getMe({ db }: Deps, { user_id }: Caller): Promise<Profile> {
  const user = await findUser(db.read, user_id);
  if (!user) throw new DomainError('not_authenticated', 'This account does not exist any more.');
  return present(db.read, user);
}

/** The defaults after a change. Throws validation_failed where they would be out of reach, or not of one property. */
async function changedDefaults(db: Db, user: UserRow, changes: Partial<Defaults>): Promise<Defaults> {
  const wanted = { ...(await defaultsOf(db, user)), ...changes };
  const { default_property_id } = wanted;
  if (default_property_id === null) {
    if (changes.default_meter_id == null) return NO_DEFAULTS;
    const message = 'goes with a default property only: send default_property_id too';
    throw invalid([{ path: 'default_meter_id', message }]);
  }
  const property = await reachable(db, user.id, default_property_id);
  if (!property) {
    const message = 'is no property that you are a member of';
    throw invalid([{ path: 'default_property_id', message }]);
  }
  if (wanted.default_meter_id === null) return wanted;
  const meter = await findMeter(db, wanted.default_meter_id);
  if (meter?.property_id === default_property_id && sees(property, meter.id)) return wanted;
  throw invalid([
    changes.default_meter_id === undefined
      ? {
          path: 'default_property_id',
          message: 'is not where the default meter is: send default_meter_id too, null for none',
        }
      : { path: 'default_meter_id', message: 'is no meter of the default property that you can see' },
  ]);
}

export async function updateMe(
  { db, checkVersion }: Deps,
  caller: Caller,
  { default_property_id, default_meter_id, ...body }: Static<typeof contract.updateMe.body>,
): Promise<Profile> {
  return db.write(async (tx) => {
    const user = await requireUser(tx, caller);
    await checkVersion(tx);
    const { display_name, locale } = body;
    const defaults = {
      ...(default_property_id === undefined ? {} : { default_property_id }),
      ...(default_meter_id === undefined ? {} : { default_meter_id }),
    };
    await store.updateUser(tx, user.id, {
      ...body,
      ...(display_name ? { display_name: tidy(display_name) } : {}),
      ...(locale ? { locale: parsed(parseLocale(locale)) } : {}),
      ...(Object.keys(defaults).length > 0 ? await changedDefaults(tx, user, defaults) : {}),
    });
    return present(tx, await requireUser(tx, caller));
  });
}

export async function listMyProperties(
  { db }: Deps,
  caller: Caller,
  query: Static<typeof contract.listMyProperties.query>,
): Promise<Listed<Property>> {
  const { rows, total } = await listProperties(db.read, caller, query, query);
  return listed(rows.map(presentProperty), total, query);
}

/** Sees to the properties that a user leaves; invitations go with the membership. Throws last_owner, which names those that would be left without one. */
async function leaveProperties(tx: Tx, user_id: number, locked: readonly number[]) {
  const left = await store.leftBehind(tx, user_id);
  if (left.some(({ property_id }) => !locked.includes(property_id))) {
    throw new DomainError('unavailable', 'You have just joined another property: try again.', {
      retry_after: 1,
    });
  }
  const orphaned = left.filter(({ others, other_owners }) => others > 0 && other_owners === 0);
  if (orphaned.length > 0) {
    const names = orphaned
      .map(({ display_name, property_id }) => `${display_name} (${property_id})`)
      .join(', ');
    throw new DomainError(
      'last_owner',
      `You are the only owner of ${names}, which has other members: make one of them an owner, or remove them, first.`,
    );
  }
  for (const { property_id, others } of left) {
    if (others === 0) await updateProperty(tx, property_id, { is_active: 0 });
  }
}

/** Throws wrong_password, too_many_attempts, last_owner, unavailable. */
export async function deleteMe(
  { db, clock, passwords, attempts, checkVersion }: Deps,
  { user_id, session }: Caller,
  password: string,
  gone: AbortSignal,
): Promise<void> {
  const user = await findUser(db.read, user_id);
  const counters = session === null ? [] : attempts.passwordChange(session);
  await checkAttempts(db.read, counters, clock());
  const right = await passwords.verify(password, user?.password_hash ?? null, gone);
  const deleted = await db.write(async (tx) => {
    // The properties before the user, as everybody does who lets somebody join.
    const property_ids = await store.membershipsOf(tx, user_id);
    for (const property_id of property_ids) await lockProperty(tx, property_id);
    const { password_hash } = await requireUser(tx, { user_id });
    if (!right || password_hash !== user?.password_hash) {
      await countFailure(tx, counters, clock());
      return false;
    }
    await checkVersion(tx);
    await leaveProperties(tx, user_id, property_ids);
    await endSessions(tx, user_id);
    await deleteResets(tx, user_id);
    await forgetKeys(tx, user_id);
    await store.forgetUser(tx, user_id, clock());
    return true;
  });
  if (!deleted) throw new DomainError('wrong_password', 'The password is wrong: nothing was deleted.');
}
