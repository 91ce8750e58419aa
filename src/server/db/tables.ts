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
    /** JSON: the terms of a virtual meter, by meter id. */
    formula: string | null;
    /** Times the highest rate so far that is implausible; null: not judged. */
    plausibility_factor: number | null;
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
    /** Hexadecimal; see core/chain.ts. */
    merkle_root: string;
    hash: string;
  };
  /** The truth: rows are only ever added. */
  ledger_entries: {
    id: Generated<number>;
    property_id: number;
    batch_id: number;
    meter_id: number;
    kind: string;
    reading_timestamp: number | null;
    value_wh: number | null;
    period_start: number | null;
    rollover_wh: number | null;
    confirmed: number;
    initial_value_wh: number | null;
    serial_number: string | null;
    digits: number | null;
    multiplier: number | null;
    note: string | null;
    supersedes_id: number | null;
    reason: string | null;
    /** SHA-256 of the entry's canonical form; see core/chain.ts. */
    leaf_hash: Uint8Array;
  };
  /** The projection: the entries in force with their energy; see core/reading.ts for its columns. */
  readings: {
    property_id: number;
    meter_id: number;
    reading_timestamp: number;
    entry_id: number;
    /** 0 absolute, 1 relative, 2 replacement. */
    reading_type: number;
    value_wh: number;
    period_start: number | null;
    rollover_wh: number | null;
    confirmed: number;
    energy_wh: number;
    offset_wh: number | null;
    gap_ms: number;
    rate_w: number | null;
    stretches: number;
    is_highest: number;
    decreased: number;
    rolled_over: number;
    implausible: number;
  };
}

/** Reads committed state, or takes part in a transaction. */
export type Db = Kysely<Tables>;

declare const inTransaction: unique symbol;
/** A transaction. Whatever writes asks for one, so that nothing is written outside. */
export type Tx = Db & { readonly [inTransaction]: true };
