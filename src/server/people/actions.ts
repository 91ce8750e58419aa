/** Who belongs to a property, as what, and how people join it. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/people.ts';
import {
  DEFAULT_EXPIRES_IN_DAYS,
  type Invitation,
  type Member,
  type NewInvitation,
} from '../../contract/people.ts';
import type { Role } from '../../contract/schema.ts';
import { formatInstant } from '../../core/time.ts';
import { requireUser } from '../auth/access.ts';
import type { Caller } from '../auth/caller.ts';
import { hashToken } from '../auth/hash-token.ts';
import { findUser, lockSessions as lockUser } from '../auth/store.ts';
import { type Listed, listed, type Page } from '../db/page.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, invalid, notFound } from '../errors.ts';
import type { Outcome } from '../http/bind.ts';
import { invitation, languageOf } from '../mail/messages.ts';
import { metersOf } from '../meters/store.ts';
import { openProperty, requireRole } from '../properties/access.ts';
import { insertMembership, lockProperty } from '../properties/store.ts';
import { presentMember, readMeterIds } from './present.ts';
import * as store from './store.ts';

const DAY_MS = 86_400_000;

/** @returns the meters that come with a role, as they are stored; throws validation_failed */
async function checkMeterIds(
  tx: Tx,
  property_id: number,
  role: Role,
  meter_ids: readonly number[] | undefined,
): Promise<string | null> {
  if (role !== 'tenant') {
    if (meter_ids === undefined) return null;
    throw invalid([
      { path: 'meter_ids', message: `goes with the role tenant only: ${role}s see every meter` },
    ]);
  }
  if (meter_ids === undefined) {
    throw invalid([
      { path: 'meter_ids', message: 'is required for a tenant: the ids of the meters they see' },
    ]);
  }
  const there = new Set((await metersOf(tx, property_id)).map(({ id }) => id));
  const wrong = meter_ids.flatMap((id, i) =>
    there.has(id) ? [] : [{ path: `meter_ids.${i}`, message: 'is no meter of this property' }],
  );
  if (wrong.length > 0) throw invalid(wrong);
  return JSON.stringify([...meter_ids].sort((a, b) => a - b));
}

export async function listMembers(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  query: Page,
): Promise<Listed<Member>> {
  await openProperty(db.read, caller, property_id);
  const { rows, total } = await store.listMembers(db.read, property_id, query);
  return listed(rows.map(presentMember), total, query);
}

/** A member of a property, locked. Throws not_found alike for users who are none and who do not exist. */
async function findMember(tx: Tx, property_id: number, user_id: number): Promise<store.MemberRow> {
  const member = await store.findMember(tx, property_id, user_id);
  if (member) return member;
  throw new DomainError(
    'not_found',
    'There is no such member of this property; people join it by invitation.',
  );
}

/** What an owner must leave behind who stops being one: another owner, and no invitation of theirs. */
async function endOwnership(
  { clock }: Deps,
  tx: Tx,
  property_id: number,
  { user_id, username, role }: store.MemberRow,
): Promise<void> {
  if (role !== 'owner') return;
  if (!(await store.hasOtherOwner(tx, property_id, user_id))) {
    throw new DomainError(
      'last_owner',
      `${username} is the only owner of this property: make somebody else an owner first.`,
    );
  }
  await store.revoke(tx, property_id, { invited_by_user_id: user_id }, clock());
}

export async function setMember(
  deps: Deps,
  caller: Caller,
  { property_id, user_id }: Static<typeof contract.setMember.params>,
  { role, meter_ids }: Static<typeof contract.setMember.body>,
): Promise<Outcome<Member>> {
  return deps.db.write(async (tx) => {
    await lockProperty(tx, property_id);
    await openProperty(tx, caller, property_id);
    // So that nobody joins who is deleting their account meanwhile.
    await lockUser(tx, user_id);
    const member = await store.findMember(tx, property_id, user_id);
    if (!member && !(await findUser(tx, user_id))) throw notFound('such user');
    const changes = { role, meter_ids: await checkMeterIds(tx, property_id, role, meter_ids) };
    if (!member) {
      await insertMembership(tx, { property_id, user_id, ...changes, created_at: deps.clock() });
    } else {
      if (role !== 'owner') await endOwnership(deps, tx, property_id, member);
      await store.updateMember(tx, property_id, user_id, changes);
    }
    const body = presentMember((await store.findMember(tx, property_id, user_id))!);
    return { created: !member, body };
  });
}

export async function removeMember(
  deps: Deps,
  caller: Caller,
  { property_id, user_id }: Static<typeof contract.removeMember.params>,
): Promise<void> {
  await deps.db.write(async (tx) => {
    await lockProperty(tx, property_id);
    const property = await openProperty(tx, caller, property_id);
    if (user_id !== caller.user_id) requireRole(property, 'owner', 'Removing somebody else');
    const member = await findMember(tx, property_id, user_id);
    await endOwnership(deps, tx, property_id, member);
    await store.deleteMember(tx, property_id, user_id);
  });
}

function presentInvitation(row: store.InvitationRow): Invitation {
  const { id, property_id, email, role, meter_ids, invited_by_user_id, created_at, expires_at } = row;
  return {
    id,
    property_id,
    email,
    role,
    meter_ids: readMeterIds(meter_ids),
    invited_by_user_id,
    created_at: formatInstant(created_at),
    expires_at: formatInstant(expires_at),
  };
}

export async function createInvitation(
  { db, clock, config, ids, jobs, mail }: Deps,
  caller: Caller,
  property_id: number,
  body: Static<typeof contract.createInvitation.body>,
): Promise<NewInvitation> {
  const { email = null, role, meter_ids, expires_in_days = DEFAULT_EXPIRES_IN_DAYS } = body;
  const token = ids.token();
  const link = `${config.PUBLIC_URL ?? ''}/invitations/${token}`;
  const row = await db.write(async (tx) => {
    await lockProperty(tx, property_id);
    const { display_name: property } = await openProperty(tx, caller, property_id);
    const created_at = clock();
    const invited = await store.insertInvitation(tx, {
      property_id,
      token_hash: hashToken(token),
      email,
      role,
      meter_ids: await checkMeterIds(tx, property_id, role, meter_ids),
      invited_by_user_id: caller.user_id,
      created_at,
      expires_at: created_at + expires_in_days * DAY_MS,
      accepted_at: null,
      accepted_by_user_id: null,
      revoked_at: null,
    });
    if (email !== null && mail) {
      const { username: inviter, locale } = (await findUser(tx, caller.user_id))!;
      const message = invitation(languageOf(locale), { inviter, property, link, days: expires_in_days });
      await jobs.add(tx, 'mail', { to: email, ...message });
    }
    return invited;
  });
  jobs.wake();
  return { ...presentInvitation(row), token, link };
}

export async function listInvitations(
  { db, clock }: Deps,
  caller: Caller,
  property_id: number,
  query: Page,
): Promise<Listed<Invitation>> {
  await openProperty(db.read, caller, property_id);
  const { rows, total } = await store.listOpenInvitations(db.read, property_id, clock(), query);
  return listed(rows.map(presentInvitation), total, query);
}

export async function revokeInvitation(
  { db, clock }: Deps,
  caller: Caller,
  { property_id, invitation_id }: Static<typeof contract.revokeInvitation.params>,
): Promise<void> {
  await db.write(async (tx) => {
    await lockProperty(tx, property_id);
    await openProperty(tx, caller, property_id);
    const revoked = await store.revoke(tx, property_id, { id: invitation_id }, clock());
    if (revoked === 0) throw notFound('such unused invitation to this property');
  });
}

/** Throws where an invitation cannot be accepted (any more). */
function requireOpen(offer: store.Offer | undefined, now_ms: number): store.Offer {
  if (!offer) throw notFound('such invitation: look whether the link is whole');
  if (offer.accepted_at !== null) {
    throw new DomainError('invitation_used', 'This invitation was accepted already: ask for another one.');
  }
  if (offer.revoked_at !== null || offer.inviter_role !== 'owner') {
    throw new DomainError('invitation_revoked', 'This invitation was revoked: ask for another one.');
  }
  if (offer.expires_at <= now_ms) {
    throw new DomainError('invitation_expired', 'This invitation has expired: ask for another one.');
  }
  return offer;
}

export async function getInvitation({ db, clock }: Deps, token: string) {
  const offer = requireOpen(await store.findOffer(db.read, hashToken(token)), clock());
  const { property_name, role, invited_by, expires_at } = offer;
  return { property_name, role, invited_by, expires_at: formatInstant(expires_at) };
}

export async function acceptInvitation(
  { db, clock }: Deps,
  { user_id }: Caller,
  token: string,
): Promise<Member> {
  const token_hash = hashToken(token);
  return db.write(async (tx) => {
    const now_ms = clock();
    const { property_id } = requireOpen(await store.findOffer(tx, token_hash), now_ms);
    await lockProperty(tx, property_id);
    await requireUser(tx, { user_id });
    // Once more: whoever held the lock may have accepted or revoked it.
    const { id, role, meter_ids } = requireOpen(await store.findOffer(tx, token_hash), now_ms);
    const member = await store.findMember(tx, property_id, user_id);
    if (member) {
      throw new DomainError(
        'already_member',
        `You are a member of this property already, as ${member.role}: an owner can change that directly.`,
      );
    }
    await insertMembership(tx, { property_id, user_id, role, meter_ids, created_at: now_ms });
    await store.markAccepted(tx, id, user_id, now_ms);
    return presentMember((await store.findMember(tx, property_id, user_id))!);
  });
}
