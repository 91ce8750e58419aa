import type { Role, Scope } from '../../contract/schema.ts';

/** Who asks. What they may do is decided by each action, from the database. */
export interface Caller {
  user_id: number;
  /** The role in a property that the call needs, as its contract says; owner if that names none. */
  needs?: Role | undefined;
  /** The sign-in that the access token belongs to; null where there is none. */
  session: string | null;
  /** The key that came instead of a sign-in, and what it is limited to beside its user's rights; null for people. */
  api_key: { id: number; scopes: readonly Scope[]; property_id: number | null } | null;
}
