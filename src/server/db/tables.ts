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
    display_name: string | null;
    phone_number: string | null;
    timezone: string | null;
    locale: string | null;
    default_property_id: number | null;
    default_meter_id: number | null;
    /** The row of a deleted user stays, for the ledger to name, with nothing personal in it. */
    deleted_at: number | null;
  };
  /** One row per sign-in, gone once it has ended. */
  sessions: {
    /** A UUID: what access tokens name must not come again, not even after a restored backup. */
    id: string;
    user_id: number;
    user_agent: string | null;
    created_at: number;
    last_used_at: number;
    expires_at: number;
  };
  /** The refresh tokens of a session: one that is good, and the used ones, by which a copy is found out. */
  refresh_tokens: { token_hash: string; session_id: string; used_at: number | null };
  /** A key's row stays when it is deleted, for the ledger to name. */
  api_keys: {
    id: Generated<number>;
    user_id: number;
    /** Null once its user is deleted. */
    name: string | null;
    /** SHA-256, hexadecimal; null once the key is deleted. */
    secret_hash: string | null;
    /** The beginning of the secret, by which people tell their keys apart. */
    secret_prefix: string | null;
    /** JSON: a list of scopes. */
    scopes: string;
    property_id: number | null;
    created_at: number;
    expires_at: number | null;
    last_used_at: number | null;
  };
  /** Failed sign-ins; see auth/attempts.ts. */
  failed_attempts: { key: string; failures: number; refused_until: number; expires_at: number };
  properties: {
    id: Generated<number>;
    display_name: string;
    display_name_folded: string;
    address: string | null;
    timezone: string;
    currency: string;
    is_active: number;
    created_at: number;
    share_totals_with_tenants: Generated<number>;
  };
  memberships: {
    property_id: number;
    user_id: number;
    role: string;
    created_at: number;
    /** JSON: the ids of the meters that a tenant sees; null for the other roles, who see all. */
    meter_ids: string | null;
  };
  invitations: {
    id: Generated<number>;
    property_id: number;
    token_hash: string;
    email: string | null;
    role: string;
    /** As in a membership. */
    meter_ids: string | null;
    invited_by_user_id: number;
    created_at: number;
    expires_at: number;
    accepted_at: number | null;
    accepted_by_user_id: number | null;
    revoked_at: number | null;
  };
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
    /** Whether the deletion of the property took it along: its restoration brings it back. */
    deleted_with_property: Generated<number>;
    created_at: number;
  };
  batches: {
    id: Generated<number>;
    property_id: number;
    /** 1, 2, 3 … within the property: the order of its chain. */
    sequence: number;
    recorded_by_user_id: number;
    /** The key with which the user's device or script recorded it. */
    recorded_by_api_key_id: Generated<number | null>;
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
    /** Hexadecimal; the photo itself is kept elsewhere (photos/storage.ts). */
    photo_sha256: string | null;
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
  /** What is to be done outside the database; see jobs/queue.ts. */
  jobs: {
    id: Generated<number>;
    kind: string;
    /** Sealed JSON; empty once the job has been given up. */
    payload: string;
    state: string;
    run_at: number;
    attempts: number;
    error: string | null;
    created_at: number;
  };
  /** What is heard over MQTT: each topic is of one meter. */
  mqtt_topics: {
    id: Generated<number>;
    property_id: number;
    meter_id: number;
    topic: string;
    /** JSON pointers into a message; see mqtt/message.ts. */
    value_field: string | null;
    time_field: string | null;
    unit: string;
    interval_seconds: number;
    configured_by_user_id: number;
    created_at: number;
    /** What came last and was recorded: the reading's instant and value, and how its message was numbered. */
    last_reading_timestamp: number | null;
    last_value_wh: number | null;
    last_packet_id: number | null;
    refused_count: number;
    last_refused_at: number | null;
    last_refusal: string | null;
  };
  /** What one process at a time does. */
  leases: { name: string; holder: string; expires_at: number };
  password_resets: { token_hash: string; user_id: number; expires_at: number };
  /** Answers by the Idempotency-Key of their request, for a day. */
  idempotency_keys: {
    user_id: number;
    key: string;
    /** SHA-256 of what was asked, in base64url. */
    fingerprint: string;
    /** Sealed. */
    answer: string;
    created_at: number;
  };
  /** Requests of one client in the latest window of a shared limit. */
  request_counts: {
    /** Says, to whoever has the server's secret, which limit and which client. */
    key: string;
    /** When the window ends. */
    expires_at: number;
    count: number;
  };
}

/** Reads committed state, or takes part in a transaction. */
export type Db = Kysely<Tables>;

declare const inTransaction: unique symbol;
/** A transaction. Whatever writes asks for one, so that nothing is written outside. */
export type Tx = Db & { readonly [inTransaction]: true };
