import { type Insertable, type Selectable, sql } from 'kysely';
import type { Role } from '../../contract/schema.ts';
import type { Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type MemberRow = Pick<Selectable<Tables['memberships']>, 'user_id' | 'meter_ids' | 'created_at'> & {
  role: Role;
  username: string;
};

function members(db: Db, property_id: number) {
  return db
    .selectFrom('memberships as s')
    .innerJoin('users as u', 'u.id', 's.user_id')
    .where('s.property_id', '=', property_id)
    .select(['s.user_id', 'u.username', 's.role', 's.meter_ids', 's.created_at']);
}

/** The members of a property, in the order in which they joined. */
export async function listMembers(
  db: Db,
  property_id: number,
  { limit, offset }: Page,
): Promise<{ rows: MemberRow[]; total: number }> {
  const rows = await members(db, property_id)
    .orderBy('s.created_at')
    .orderBy('s.user_id')
    .limit(limit!)
    .offset(offset!)
    .execute();
  const { total } = await db
    .selectFrom('memberships')
    .where('property_id', '=', property_id)
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows: rows as MemberRow[], total };
}

export async function findMember(
  db: Db,
  property_id: number,
  user_id: number,
): Promise<MemberRow | undefined> {
  const row = await members(db, property_id).where('s.user_id', '=', user_id).executeTakeFirst();
  return row as MemberRow | undefined;
}

/** Whether a property has an owner beside this one. */
export async function hasOtherOwner(db: Db, property_id: number, user_id: number): Promise<boolean> {
  const other = await db
    .selectFrom('memberships')
    .select('user_id')
    .where('property_id', '=', property_id)
    .where('role', '=', 'owner')
    .where('user_id', '<>', user_id)
    .executeTakeFirst();
  return other !== undefined;
}

export async function updateMember(
  tx: Tx,
  property_id: number,
  user_id: number,
  changes: { role: Role; meter_ids: string | null },
): Promise<void> {
  await tx
    .updateTable('memberships')
    .set(changes)
    .where('property_id', '=', property_id)
    .where('user_id', '=', user_id)
    .execute();
}

export async function deleteMember(tx: Tx, property_id: number, user_id: number): Promise<void> {
  await tx
    .deleteFrom('memberships')
    .where('property_id', '=', property_id)
    .where('user_id', '=', user_id)
    .execute();
}

export type InvitationRow = Omit<Selectable<Tables['invitations']>, 'role'> & { role: Role };

export async function insertInvitation(
  tx: Tx,
  invitation: Insertable<Tables['invitations']>,
): Promise<InvitationRow> {
  const row = await tx.insertInto('invitations').values(invitation).returningAll().executeTakeFirstOrThrow();
  return row as InvitationRow;
}

/** An invitation as whoever has its token meets it. `inviter_role` is null where the inviter is no member any more. */
export type Offer = InvitationRow & {
  property_name: string;
  invited_by: string;
  inviter_role: Role | null;
};

export async function findOffer(db: Db, token_hash: string): Promise<Offer | undefined> {
  const { rows } = await sql<Offer>`
    SELECT i.*, p.display_name AS property_name, u.username AS invited_by, s.role AS inviter_role
    FROM invitations AS i
    JOIN properties AS p ON p.id = i.property_id
    JOIN users AS u ON u.id = i.invited_by_user_id
    LEFT JOIN memberships AS s ON s.property_id = i.property_id AND s.user_id = i.invited_by_user_id
    WHERE i.token_hash = ${token_hash}`.execute(db);
  return rows[0];
}

function openInvitations(db: Db, property_id: number, now_ms: number) {
  return db
    .selectFrom('invitations as i')
    .innerJoin('memberships as s', (join) =>
      join
        .onRef('s.property_id', '=', 'i.property_id')
        .onRef('s.user_id', '=', 'i.invited_by_user_id')
        .on('s.role', '=', 'owner'),
    )
    .where('i.property_id', '=', property_id)
    .where('i.accepted_at', 'is', null)
    .where('i.revoked_at', 'is', null)
    .where('i.expires_at', '>', now_ms);
}

/** The invitations of a property that can be accepted at an instant, newest first. */
export async function listOpenInvitations(
  db: Db,
  property_id: number,
  now_ms: number,
  { limit, offset }: Page,
): Promise<{ rows: InvitationRow[]; total: number }> {
  const open = openInvitations(db, property_id, now_ms);
  const rows = await open.selectAll('i').orderBy('i.id', 'desc').limit(limit!).offset(offset!).execute();
  const { total } = await open.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return { rows: rows as InvitationRow[], total };
}

export async function markAccepted(tx: Tx, id: number, user_id: number, now_ms: number): Promise<void> {
  await tx
    .updateTable('invitations')
    .set({ accepted_at: now_ms, accepted_by_user_id: user_id })
    .where('id', '=', id)
    .execute();
}

/** Revokes the unused invitations of a property that were made by one user, or one of them. @returns how many */
export async function revoke(
  tx: Tx,
  property_id: number,
  which: { id: number } | { invited_by_user_id: number },
  now_ms: number,
): Promise<number> {
  const unused = tx
    .updateTable('invitations')
    .set({ revoked_at: now_ms })
    .where('property_id', '=', property_id)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null);
  const { numUpdatedRows } = await ('id' in which
    ? unused.where('id', '=', which.id)
    : unused.where('invited_by_user_id', '=', which.invited_by_user_id)
  ).executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
