CREATE TRIGGER batches_no_delete BEFORE DELETE ON batches BEGIN SELECT RAISE(ABORT, 'batches: rows are only ever added'); END;

CREATE TRIGGER batches_no_update BEFORE UPDATE ON batches BEGIN SELECT RAISE(ABORT, 'batches: rows are only ever added'); END;

CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'ledger_entries: rows are only ever added'); END;

CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'ledger_entries: rows are only ever added'); END;

CREATE TABLE api_keys (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER NOT NULL REFERENCES users (id),
      name TEXT,
      secret_hash TEXT UNIQUE,
      secret_prefix TEXT,
      scopes TEXT NOT NULL,
      property_id INTEGER REFERENCES properties (id),
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      last_used_at INTEGER,
      CHECK ((secret_hash IS NULL) = (secret_prefix IS NULL)),
      CHECK (secret_hash IS NULL OR name IS NOT NULL)
    ) STRICT;

CREATE TABLE batches (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      property_id INTEGER NOT NULL REFERENCES properties (id),
      sequence INTEGER NOT NULL,
      recorded_by_user_id INTEGER NOT NULL REFERENCES users (id),
      source TEXT NOT NULL CHECK (source IN ('manual', 'import', 'api', 'device')),
      created_at INTEGER NOT NULL,
      entry_count INTEGER NOT NULL,
      merkle_root TEXT NOT NULL,
      hash TEXT NOT NULL, recorded_by_api_key_id INTEGER REFERENCES api_keys (id),
      UNIQUE (property_id, sequence)
    ) STRICT;

CREATE TABLE failed_attempts (
      key TEXT NOT NULL PRIMARY KEY,
      failures INTEGER NOT NULL,
      refused_until INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;

CREATE TABLE idempotency_keys (
      user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      key TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      answer TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (user_id, key)
    ) STRICT;

CREATE TABLE invitations (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      property_id INTEGER NOT NULL REFERENCES properties (id),
      token_hash TEXT NOT NULL UNIQUE,
      email TEXT,
      role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'reader', 'tenant')),
      meter_ids TEXT,
      invited_by_user_id INTEGER NOT NULL REFERENCES users (id),
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      accepted_at INTEGER,
      accepted_by_user_id INTEGER REFERENCES users (id),
      revoked_at INTEGER,
      CHECK ((role = 'tenant') = (meter_ids IS NOT NULL)),
      CHECK ((accepted_at IS NULL) = (accepted_by_user_id IS NULL))
    ) STRICT;

CREATE TABLE jobs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      payload TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('ready', 'failed')),
      run_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      error TEXT,
      created_at INTEGER NOT NULL
    ) STRICT;

CREATE TABLE leases (
      name TEXT PRIMARY KEY,
      holder TEXT NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;

CREATE TABLE ledger_entries (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      property_id INTEGER NOT NULL,
      batch_id INTEGER NOT NULL REFERENCES batches (id),
      meter_id INTEGER NOT NULL REFERENCES meters (id),
      kind TEXT NOT NULL CHECK (kind IN ('absolute', 'relative', 'device', 'void')),
      reading_timestamp INTEGER,
      value_wh INTEGER CHECK (value_wh BETWEEN 0 AND 999999999999),
      period_start INTEGER,
      rollover_wh INTEGER,
      confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
      initial_value_wh INTEGER CHECK (initial_value_wh BETWEEN 0 AND 999999999999),
      serial_number TEXT,
      digits INTEGER,
      multiplier INTEGER,
      note TEXT,
      supersedes_id INTEGER REFERENCES ledger_entries (id),
      reason TEXT,
      leaf_hash BLOB NOT NULL, photo_sha256 TEXT,
      CHECK (kind NOT IN ('absolute', 'relative') OR (reading_timestamp IS NOT NULL AND value_wh IS NOT NULL)),
      CHECK (period_start IS NULL OR (kind = 'relative' AND period_start < reading_timestamp)),
      CHECK (kind <> 'void' OR supersedes_id IS NOT NULL),
      CHECK ((kind = 'device') = (multiplier IS NOT NULL))
    ) STRICT;

CREATE TABLE memberships (
      property_id INTEGER NOT NULL REFERENCES properties (id),
      user_id INTEGER NOT NULL REFERENCES users (id),
      role TEXT NOT NULL,
      created_at INTEGER NOT NULL, meter_ids TEXT CHECK ((role = 'tenant') = (meter_ids IS NOT NULL)),
      PRIMARY KEY (user_id, property_id)
    ) STRICT, WITHOUT ROWID;

CREATE TABLE meters (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      property_id INTEGER NOT NULL REFERENCES properties (id),
      parent_meter_id INTEGER REFERENCES meters (id),
      name TEXT NOT NULL,
      name_folded TEXT NOT NULL,
      location TEXT,
      meter_type TEXT NOT NULL CHECK (meter_type IN ('main_meter', 'sub_meter')),
      sub_meter_kind TEXT CHECK (sub_meter_kind IN ('physical', 'virtual')),
      formula TEXT,
      plausibility_factor INTEGER,
      is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
      created_at INTEGER NOT NULL, deleted_with_property INTEGER NOT NULL DEFAULT 0
      CHECK (deleted_with_property IN (0, 1)),
      CHECK ((meter_type = 'main_meter') = (parent_meter_id IS NULL)),
      CHECK ((meter_type = 'main_meter') = (sub_meter_kind IS NULL))
    ) STRICT;

CREATE TABLE mqtt_topics (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      property_id INTEGER NOT NULL REFERENCES properties (id),
      meter_id INTEGER NOT NULL REFERENCES meters (id),
      topic TEXT NOT NULL,
      value_field TEXT,
      time_field TEXT,
      unit TEXT NOT NULL CHECK (unit IN ('Wh', 'kWh', 'MWh')),
      interval_seconds INTEGER NOT NULL,
      configured_by_user_id INTEGER NOT NULL REFERENCES users (id),
      created_at INTEGER NOT NULL,
      last_reading_timestamp INTEGER,
      last_value_wh INTEGER,
      last_packet_id INTEGER,
      refused_count INTEGER NOT NULL,
      last_refused_at INTEGER,
      last_refusal TEXT
    ) STRICT;

CREATE TABLE password_resets (
      token_hash TEXT PRIMARY KEY,
      user_id INTEGER NOT NULL REFERENCES users (id),
      expires_at INTEGER NOT NULL
    ) STRICT;

CREATE TABLE properties (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      display_name TEXT NOT NULL,
      display_name_folded TEXT NOT NULL,
      address TEXT,
      timezone TEXT NOT NULL,
      currency TEXT NOT NULL,
      is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
      created_at INTEGER NOT NULL
    , share_totals_with_tenants INTEGER NOT NULL DEFAULT 0
      CHECK (share_totals_with_tenants IN (0, 1))) STRICT;

CREATE TABLE readings (
      property_id INTEGER NOT NULL,
      meter_id INTEGER NOT NULL,
      reading_timestamp INTEGER NOT NULL,
      entry_id INTEGER NOT NULL,
      reading_type INTEGER NOT NULL,
      value_wh INTEGER NOT NULL,
      period_start INTEGER,
      rollover_wh INTEGER,
      confirmed INTEGER NOT NULL,
      energy_wh INTEGER NOT NULL,
      offset_wh INTEGER,
      gap_ms INTEGER NOT NULL,
      rate_w INTEGER,
      stretches INTEGER NOT NULL,
      is_highest INTEGER NOT NULL,
      decreased INTEGER NOT NULL,
      rolled_over INTEGER NOT NULL,
      implausible INTEGER NOT NULL,
      PRIMARY KEY (property_id, meter_id, reading_timestamp)
    ) STRICT, WITHOUT ROWID;

CREATE TABLE refresh_tokens (
      token_hash TEXT NOT NULL PRIMARY KEY,
      session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      used_at INTEGER
    ) STRICT, WITHOUT ROWID;

CREATE TABLE request_counts (
      key TEXT NOT NULL PRIMARY KEY,
      expires_at INTEGER NOT NULL,
      count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

CREATE TABLE schema_migrations
        (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;

CREATE TABLE sessions (
      id TEXT NOT NULL PRIMARY KEY,
      user_id INTEGER NOT NULL REFERENCES users (id),
      user_agent TEXT,
      created_at INTEGER NOT NULL,
      last_used_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

CREATE TABLE users (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      username TEXT NOT NULL,
      username_folded TEXT NOT NULL UNIQUE,
      email TEXT NOT NULL,
      email_folded TEXT NOT NULL UNIQUE,
      password_hash TEXT NOT NULL,
      created_at INTEGER NOT NULL
    , display_name TEXT, phone_number TEXT, timezone TEXT, locale TEXT, default_property_id INTEGER REFERENCES properties (id), default_meter_id INTEGER REFERENCES meters (id), deleted_at INTEGER) STRICT;

CREATE INDEX api_keys_by_user ON api_keys (user_id) WHERE secret_hash IS NOT NULL;

CREATE INDEX failed_attempts_by_expiry ON failed_attempts (expires_at);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE INDEX invitations_by_property ON invitations (property_id);

CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state = 'ready';

CREATE INDEX ledger_entries_by_batch ON ledger_entries (batch_id, id);

CREATE INDEX ledger_entries_corrections ON ledger_entries (meter_id) WHERE supersedes_id IS NOT NULL;

CREATE INDEX ledger_entries_devices ON ledger_entries (meter_id) WHERE kind = 'device';

CREATE INDEX ledger_entries_photos ON ledger_entries (property_id, photo_sha256) WHERE photo_sha256 IS NOT NULL;

CREATE UNIQUE INDEX ledger_entries_superseding ON ledger_entries (supersedes_id) WHERE supersedes_id IS NOT NULL;

CREATE INDEX memberships_by_property ON memberships (property_id);

CREATE INDEX meters_by_property ON meters (property_id);

CREATE UNIQUE INDEX meters_name ON meters (property_id, name_folded) WHERE is_active = 1;

CREATE UNIQUE INDEX meters_one_main ON meters (property_id) WHERE meter_type = 'main_meter' AND is_active = 1;

CREATE INDEX mqtt_topics_by_property ON mqtt_topics (property_id, id);

CREATE UNIQUE INDEX mqtt_topics_by_topic ON mqtt_topics (topic);

CREATE INDEX password_resets_by_user ON password_resets (user_id);

CREATE INDEX readings_decreased ON readings (property_id, reading_timestamp, meter_id) WHERE decreased = 1;

CREATE INDEX readings_implausible ON readings (property_id, reading_timestamp, meter_id) WHERE implausible = 1;

CREATE INDEX readings_rates ON readings (property_id, meter_id, reading_timestamp)
      WHERE is_highest = 1 OR implausible = 1;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

CREATE INDEX request_counts_by_expiry ON request_counts (expires_at);

CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE INDEX sessions_by_user ON sessions (user_id);
