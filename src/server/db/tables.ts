/** The tables as TypeScript sees them. Energy is whole Wh, instants are epoch milliseconds, flags are 0 or 1. */
import type { Generated, Kysely } from 'kysely';

export interface Tables {
  schema_migrations: { number: number; name: string; applied_at: number };
  users: {
    id: Generated<number>;
    username: string;
    username_folded: string;
    email: string;
    email_folded: string;
    password_hash: string;
    created_at: number;
  };
  /** One row per refresh token; the tokens that descend from one sign-in share its family. */
  sessions: {
    id: Generated<number>;
    user_id: number;
    family: string;
    token_hash: string;
    created_at: number;
    expires_at: number;
    used_at: number | null;
  };
  properties: {
    id: Generated<number>;
    display_name: string;
    display_name_folded: string;
    address: string | null;
    timezone: string;
    currency: string;
    is_active: number;
    created_at: number;
  };
  memberships: { property_id: number; user_id: number; role: string; created_at: number };
  meters: {
    id: Generated<number>;
    property_id: number;
    parent_meter_id: number | null;
    name: string;
    name_folded: string;
    location: string | null;
    meter_type: string;
    sub_meter_kind: string | null;
    is_active: number;
    created_at: number;
  };
  batches: {
    id: Generated<number>;
    property_id: number;
    /** 1, 2, 3 … within the property: the order of its chain. */
    sequence: number;
    recorded_by_user_id: number;
    source: string;
    created_at: number;
    entry_count: number;
  };
  /** The truth: rows are only ever added. */
  ledger_entries: {
    id: Generated<number>;
    property_id: number;
    batch_id: number;
    meter_id: number;
    reading_timestamp: number;
    is_relative: number;
    value_wh: number;
    period_start: number | null;
    note: string | null;
  };
  /** The projection: the entries in force with their energy; see core/reading.ts for its columns. */
  readings: {
    property_id: number;
    meter_id: number;
    reading_timestamp: number;
    entry_id: number;
    is_relative: number;
    value_wh: number;
    period_start: number | null;
    energy_wh: number;
    offset_wh: number | null;
    gap_ms: number;
    decreased: number;
  };
}

/** Reads committed state, or takes part in a transaction. */
export type Db = Kysely<Tables>;

declare const inTransaction: unique symbol;
/** A transaction. Whatever writes asks for one, so that nothing is written outside. */
export type Tx = Db & { readonly [inTransaction]: true };
