/** Who may do what, as plainly as it can be said: the model that random people are held against. */
import type { ProblemCode } from '../../src/contract/problem.ts';
import { ROLES, type Role } from '../../src/contract/schema.ts';

export type Outcome = ProblemCode | 'success';

export interface Membership {
  role: Role;
  /** For tenants. */
  meter_ids: number[] | null;
}

export interface Invitation extends Membership {
  id: number;
  token: string;
  by: number;
  state: 'open' | 'used' | 'revoked';
}

/** An entry of the ledger: a reading, or a void. */
export interface Entry {
  id: number;
  batch_id: number;
  meter_id: number;
  by: number;
  is_void: boolean;
  superseded: boolean;
}

export interface Place {
  property_id: number;
  main_id: number;
  meter_ids: number[];
  shares_totals: boolean;
  /** By the user's id. */
  members: Map<number, Membership>;
  invitations: Invitation[];
  entries: Entry[];
}

/** What a call inside a property comes to for a user, as far as roles decide it. */
export function admitted({ members }: Place, user_id: number, needed: Role): Outcome {
  const member = members.get(user_id);
  if (!member) return 'forbidden';
  return ROLES.indexOf(member.role) <= ROLES.indexOf(needed) ? 'success' : 'role_too_low';
}

/** The meters that exist for a user. */
export function visible({ members, meter_ids }: Place, user_id: number): number[] {
  const member = members.get(user_id);
  if (!member) return [];
  return meter_ids.filter((id) => member.role !== 'tenant' || member.meter_ids!.includes(id));
}

export function seesTotals({ members, shares_totals }: Place, user_id: number): boolean {
  return members.get(user_id)!.role !== 'tenant' || shares_totals;
}

/** The same for what hangs on one meter. */
export function admittedTo(place: Place, user_id: number, meter_id: number, needed: Role): Outcome {
  return visible(place, user_id).includes(meter_id) ? admitted(place, user_id, needed) : 'forbidden';
}

const isOnlyOwner = ({ members }: Place, user_id: number) =>
  members.get(user_id)!.role === 'owner' &&
  [...members.values()].filter(({ role }) => role === 'owner').length === 1;

function endOwnership(place: Place, user_id: number): void {
  for (const invitation of place.invitations)
    if (invitation.by === user_id && invitation.state === 'open') invitation.state = 'revoked';
}

export function setMember(place: Place, by: number, target: number, to: Membership): Outcome {
  const allowed = admitted(place, by, 'owner');
  if (allowed !== 'success') return allowed;
  if (place.members.has(target) && to.role !== 'owner') {
    if (isOnlyOwner(place, target)) return 'last_owner';
    if (place.members.get(target)!.role === 'owner') endOwnership(place, target);
  }
  place.members.set(target, to);
  return 'success';
}

export function removeMember(place: Place, by: number, target: number): Outcome {
  const allowed = admitted(place, by, by === target ? 'tenant' : 'owner');
  if (allowed !== 'success') return allowed;
  if (!place.members.has(target)) return 'not_found';
  if (isOnlyOwner(place, target)) return 'last_owner';
  endOwnership(place, target);
  place.members.delete(target);
  return 'success';
}

export function accept(place: Place, by: number, invitation: Invitation): Outcome {
  if (invitation.state !== 'open')
    return invitation.state === 'used' ? 'invitation_used' : 'invitation_revoked';
  if (place.members.has(by)) return 'already_member';
  invitation.state = 'used';
  place.members.set(by, { role: invitation.role, meter_ids: invitation.meter_ids });
  return 'success';
}

export function revoke(place: Place, by: number, invitation: Invitation): Outcome {
  const allowed = admitted(place, by, 'owner');
  if (allowed !== 'success') return allowed;
  if (invitation.state !== 'open') return 'not_found';
  invitation.state = 'revoked';
  return 'success';
}

/** What correcting or voiding an entry comes to. */
export function change(place: Place, by: number, entry: Entry): Outcome {
  if (entry.is_void) return 'not_found';
  const allowed = admittedTo(place, by, entry.meter_id, entry.by === by ? 'tenant' : 'editor');
  if (allowed !== 'success') return allowed;
  return entry.superseded ? 'reading_superseded' : 'success';
}

/** What undoing the batch of an entry comes to; every batch of the simulation has one entry. */
export function undo(place: Place, by: number, entry: Entry): Outcome {
  const allowed = admitted(place, by, entry.by === by ? 'reader' : 'editor');
  if (allowed !== 'success') return allowed;
  return entry.superseded ? 'batch_superseded' : 'success';
}
