api_keys.id bigint NOT NULL IDENTITY
api_keys.user_id bigint NOT NULL
api_keys.name text
api_keys.secret_hash text
api_keys.secret_prefix text
api_keys.scopes text NOT NULL
api_keys.property_id bigint
api_keys.created_at bigint NOT NULL
api_keys.expires_at bigint
api_keys.last_used_at bigint
batches.id bigint NOT NULL IDENTITY
batches.property_id bigint NOT NULL
batches.sequence bigint NOT NULL
batches.recorded_by_user_id bigint NOT NULL
batches.source text NOT NULL
batches.created_at bigint NOT NULL
batches.entry_count bigint NOT NULL
batches.merkle_root text NOT NULL
batches.hash text NOT NULL
batches.recorded_by_api_key_id bigint
failed_attempts.key text NOT NULL
failed_attempts.failures bigint NOT NULL
failed_attempts.refused_until bigint NOT NULL
failed_attempts.expires_at bigint NOT NULL
idempotency_keys.user_id bigint NOT NULL
idempotency_keys.key text NOT NULL
idempotency_keys.fingerprint text NOT NULL
idempotency_keys.answer text NOT NULL
idempotency_keys.created_at bigint NOT NULL
invitations.id bigint NOT NULL IDENTITY
invitations.property_id bigint NOT NULL
invitations.token_hash text NOT NULL
invitations.email text
invitations.role text NOT NULL
invitations.meter_ids text
invitations.invited_by_user_id bigint NOT NULL
invitations.created_at bigint NOT NULL
invitations.expires_at bigint NOT NULL
invitations.accepted_at bigint
invitations.accepted_by_user_id bigint
invitations.revoked_at bigint
jobs.id bigint NOT NULL IDENTITY
jobs.kind text NOT NULL
jobs.payload text NOT NULL
jobs.state text NOT NULL
jobs.run_at bigint NOT NULL
jobs.attempts smallint NOT NULL
jobs.error text
jobs.created_at bigint NOT NULL
leases.name text NOT NULL
leases.holder text NOT NULL
leases.expires_at bigint NOT NULL
ledger_entries.id bigint NOT NULL IDENTITY
ledger_entries.property_id bigint NOT NULL
ledger_entries.batch_id bigint NOT NULL
ledger_entries.meter_id bigint NOT NULL
ledger_entries.kind text NOT NULL
ledger_entries.reading_timestamp bigint
ledger_entries.value_wh bigint
ledger_entries.period_start bigint
ledger_entries.rollover_wh bigint
ledger_entries.confirmed smallint NOT NULL
ledger_entries.initial_value_wh bigint
ledger_entries.serial_number text
ledger_entries.digits bigint
ledger_entries.multiplier bigint
ledger_entries.note text
ledger_entries.supersedes_id bigint
ledger_entries.reason text
ledger_entries.leaf_hash bytea NOT NULL
ledger_entries.photo_sha256 text
memberships.property_id bigint NOT NULL
memberships.user_id bigint NOT NULL
memberships.role text NOT NULL
memberships.created_at bigint NOT NULL
memberships.meter_ids text
meters.id bigint NOT NULL IDENTITY
meters.property_id bigint NOT NULL
meters.parent_meter_id bigint
meters.name text NOT NULL
meters.name_folded text NOT NULL
meters.location text
meters.meter_type text NOT NULL
meters.sub_meter_kind text
meters.formula text
meters.plausibility_factor bigint
meters.is_active smallint NOT NULL DEFAULT 1
meters.created_at bigint NOT NULL
meters.deleted_with_property smallint NOT NULL DEFAULT 0
mqtt_topics.id bigint NOT NULL IDENTITY
mqtt_topics.property_id bigint NOT NULL
mqtt_topics.meter_id bigint NOT NULL
mqtt_topics.topic text NOT NULL
mqtt_topics.value_field text
mqtt_topics.time_field text
mqtt_topics.unit text NOT NULL
mqtt_topics.interval_seconds bigint NOT NULL
mqtt_topics.configured_by_user_id bigint NOT NULL
mqtt_topics.created_at bigint NOT NULL
mqtt_topics.last_reading_timestamp bigint
mqtt_topics.last_value_wh bigint
mqtt_topics.last_packet_id bigint
mqtt_topics.refused_count bigint NOT NULL
mqtt_topics.last_refused_at bigint
mqtt_topics.last_refusal text
password_resets.token_hash text NOT NULL
password_resets.user_id bigint NOT NULL
password_resets.expires_at bigint NOT NULL
properties.id bigint NOT NULL IDENTITY
properties.display_name text NOT NULL
properties.display_name_folded text NOT NULL
properties.address text
properties.timezone text NOT NULL
properties.currency text NOT NULL
properties.is_active smallint NOT NULL DEFAULT 1
properties.created_at bigint NOT NULL
properties.share_totals_with_tenants smallint NOT NULL DEFAULT 0
readings.property_id bigint NOT NULL
readings.meter_id bigint NOT NULL
readings.reading_timestamp bigint NOT NULL
readings.entry_id bigint NOT NULL
readings.reading_type smallint NOT NULL
readings.value_wh bigint NOT NULL
readings.period_start bigint
readings.rollover_wh bigint
readings.confirmed smallint NOT NULL
readings.energy_wh bigint NOT NULL
readings.offset_wh bigint
readings.gap_ms bigint NOT NULL
readings.rate_w bigint
readings.stretches smallint NOT NULL
readings.is_highest smallint NOT NULL
readings.decreased smallint NOT NULL
readings.rolled_over smallint NOT NULL
readings.implausible smallint NOT NULL
refresh_tokens.token_hash text NOT NULL
refresh_tokens.session_id text NOT NULL
refresh_tokens.used_at bigint
request_counts.key text NOT NULL
request_counts.expires_at bigint NOT NULL
request_counts.count bigint NOT NULL
schema_migrations.number bigint NOT NULL
schema_migrations.name text NOT NULL
schema_migrations.applied_at bigint NOT NULL
sessions.id text NOT NULL
sessions.user_id bigint NOT NULL
sessions.user_agent text
sessions.created_at bigint NOT NULL
sessions.last_used_at bigint NOT NULL
sessions.expires_at bigint NOT NULL
users.id bigint NOT NULL IDENTITY
users.username text NOT NULL
users.username_folded text NOT NULL
users.email text NOT NULL
users.email_folded text NOT NULL
users.password_hash text NOT NULL
users.created_at bigint NOT NULL
users.display_name text
users.phone_number text
users.timezone text
users.locale text
users.default_property_id bigint
users.default_meter_id bigint
users.deleted_at bigint
api_keys: CHECK (((secret_hash IS NULL) = (secret_prefix IS NULL)))
api_keys: CHECK (((secret_hash IS NULL) OR (name IS NOT NULL)))
api_keys: PRIMARY KEY (id)
api_keys: FOREIGN KEY (property_id) REFERENCES properties(id)
api_keys: UNIQUE (secret_hash)
api_keys: FOREIGN KEY (user_id) REFERENCES users(id)
batches: PRIMARY KEY (id)
batches: FOREIGN KEY (property_id) REFERENCES properties(id)
batches: UNIQUE (property_id, sequence)
batches: FOREIGN KEY (recorded_by_api_key_id) REFERENCES api_keys(id)
batches: FOREIGN KEY (recorded_by_user_id) REFERENCES users(id)
batches: CHECK ((source = ANY (ARRAY['manual'::text, 'import'::text, 'api'::text, 'device'::text])))
failed_attempts: PRIMARY KEY (key)
idempotency_keys: PRIMARY KEY (user_id, key)
idempotency_keys: FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
invitations: FOREIGN KEY (accepted_by_user_id) REFERENCES users(id)
invitations: CHECK (((role = 'tenant'::text) = (meter_ids IS NOT NULL)))
invitations: CHECK (((accepted_at IS NULL) = (accepted_by_user_id IS NULL)))
invitations: FOREIGN KEY (invited_by_user_id) REFERENCES users(id)
invitations: PRIMARY KEY (id)
invitations: FOREIGN KEY (property_id) REFERENCES properties(id)
invitations: CHECK ((role = ANY (ARRAY['owner'::text, 'editor'::text, 'reader'::text, 'tenant'::text])))
invitations: UNIQUE (token_hash)
jobs: PRIMARY KEY (id)
jobs: CHECK ((state = ANY (ARRAY['ready'::text, 'failed'::text])))
leases: PRIMARY KEY (name)
ledger_entries: FOREIGN KEY (batch_id) REFERENCES batches(id)
ledger_entries: CHECK (((kind <> ALL (ARRAY['absolute'::text, 'relative'::text])) OR ((reading_timestamp IS NOT NULL) AND (value_wh IS NOT NULL))))
ledger_entries: CHECK (((period_start IS NULL) OR ((kind = 'relative'::text) AND (period_start < reading_timestamp))))
ledger_entries: CHECK (((kind <> 'void'::text) OR (supersedes_id IS NOT NULL)))
ledger_entries: CHECK (((kind = 'device'::text) = (multiplier IS NOT NULL)))
ledger_entries: CHECK ((confirmed = ANY (ARRAY[0, 1])))
ledger_entries: CHECK (((initial_value_wh >= 0) AND (initial_value_wh <= '999999999999'::bigint)))
ledger_entries: CHECK ((kind = ANY (ARRAY['absolute'::text, 'relative'::text, 'device'::text, 'void'::text])))
ledger_entries: FOREIGN KEY (meter_id) REFERENCES meters(id)
ledger_entries: PRIMARY KEY (id)
ledger_entries: FOREIGN KEY (supersedes_id) REFERENCES ledger_entries(id)
ledger_entries: CHECK (((value_wh >= 0) AND (value_wh <= '999999999999'::bigint)))
memberships: CHECK (((role = 'tenant'::text) = (meter_ids IS NOT NULL)))
memberships: PRIMARY KEY (user_id, property_id)
memberships: FOREIGN KEY (property_id) REFERENCES properties(id)
memberships: FOREIGN KEY (user_id) REFERENCES users(id)
meters: CHECK (((meter_type = 'main_meter'::text) = (parent_meter_id IS NULL)))
meters: CHECK (((meter_type = 'main_meter'::text) = (sub_meter_kind IS NULL)))
meters: CHECK ((deleted_with_property = ANY (ARRAY[0, 1])))
meters: CHECK ((is_active = ANY (ARRAY[0, 1])))
meters: CHECK ((meter_type = ANY (ARRAY['main_meter'::text, 'sub_meter'::text])))
meters: FOREIGN KEY (parent_meter_id) REFERENCES meters(id)
meters: PRIMARY KEY (id)
meters: FOREIGN KEY (property_id) REFERENCES properties(id)
meters: CHECK ((sub_meter_kind = ANY (ARRAY['physical'::text, 'virtual'::text])))
mqtt_topics: FOREIGN KEY (configured_by_user_id) REFERENCES users(id)
mqtt_topics: FOREIGN KEY (meter_id) REFERENCES meters(id)
mqtt_topics: PRIMARY KEY (id)
mqtt_topics: FOREIGN KEY (property_id) REFERENCES properties(id)
mqtt_topics: CHECK ((unit = ANY (ARRAY['Wh'::text, 'kWh'::text, 'MWh'::text])))
password_resets: PRIMARY KEY (token_hash)
password_resets: FOREIGN KEY (user_id) REFERENCES users(id)
properties: CHECK ((is_active = ANY (ARRAY[0, 1])))
properties: PRIMARY KEY (id)
properties: CHECK ((share_totals_with_tenants = ANY (ARRAY[0, 1])))
readings: PRIMARY KEY (property_id, meter_id, reading_timestamp)
refresh_tokens: PRIMARY KEY (token_hash)
refresh_tokens: FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE
request_counts: PRIMARY KEY (key)
schema_migrations: PRIMARY KEY (number)
sessions: PRIMARY KEY (id)
sessions: FOREIGN KEY (user_id) REFERENCES users(id)
users: FOREIGN KEY (default_meter_id) REFERENCES meters(id)
users: FOREIGN KEY (default_property_id) REFERENCES properties(id)
users: UNIQUE (email_folded)
users: PRIMARY KEY (id)
users: UNIQUE (username_folded)
CREATE INDEX api_keys_by_user ON public.api_keys USING btree (user_id) WHERE (secret_hash IS NOT NULL)
CREATE UNIQUE INDEX api_keys_pkey ON public.api_keys USING btree (id)
CREATE UNIQUE INDEX api_keys_secret_hash_key ON public.api_keys USING btree (secret_hash)
CREATE UNIQUE INDEX batches_pkey ON public.batches USING btree (id)
CREATE UNIQUE INDEX batches_property_id_sequence_key ON public.batches USING btree (property_id, sequence)
CREATE INDEX failed_attempts_by_expiry ON public.failed_attempts USING btree (expires_at)
CREATE UNIQUE INDEX failed_attempts_pkey ON public.failed_attempts USING btree (key)
CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at)
CREATE UNIQUE INDEX idempotency_keys_pkey ON public.idempotency_keys USING btree (user_id, key)
CREATE INDEX invitations_by_property ON public.invitations USING btree (property_id)
CREATE UNIQUE INDEX invitations_pkey ON public.invitations USING btree (id)
CREATE UNIQUE INDEX invitations_token_hash_key ON public.invitations USING btree (token_hash)
CREATE INDEX jobs_due ON public.jobs USING btree (run_at, id) WHERE (state = 'ready'::text)
CREATE UNIQUE INDEX jobs_pkey ON public.jobs USING btree (id)
CREATE UNIQUE INDEX leases_pkey ON public.leases USING btree (name)
CREATE INDEX ledger_entries_by_batch ON public.ledger_entries USING btree (batch_id, id)
CREATE INDEX ledger_entries_corrections ON public.ledger_entries USING btree (meter_id) WHERE (supersedes_id IS NOT NULL)
CREATE INDEX ledger_entries_devices ON public.ledger_entries USING btree (meter_id) WHERE (kind = 'device'::text)
CREATE INDEX ledger_entries_photos ON public.ledger_entries USING btree (property_id, photo_sha256) WHERE (photo_sha256 IS NOT NULL)
CREATE UNIQUE INDEX ledger_entries_pkey ON public.ledger_entries USING btree (id)
CREATE UNIQUE INDEX ledger_entries_superseding ON public.ledger_entries USING btree (supersedes_id) WHERE (supersedes_id IS NOT NULL)
CREATE INDEX memberships_by_property ON public.memberships USING btree (property_id)
CREATE UNIQUE INDEX memberships_pkey ON public.memberships USING btree (user_id, property_id)
CREATE INDEX meters_by_property ON public.meters USING btree (property_id)
CREATE UNIQUE INDEX meters_name ON public.meters USING btree (property_id, name_folded) WHERE (is_active = 1)
CREATE UNIQUE INDEX meters_one_main ON public.meters USING btree (property_id) WHERE ((meter_type = 'main_meter'::text) AND (is_active = 1))
CREATE UNIQUE INDEX meters_pkey ON public.meters USING btree (id)
CREATE INDEX mqtt_topics_by_property ON public.mqtt_topics USING btree (property_id, id)
CREATE UNIQUE INDEX mqtt_topics_by_topic ON public.mqtt_topics USING btree (topic)
CREATE UNIQUE INDEX mqtt_topics_pkey ON public.mqtt_topics USING btree (id)
CREATE INDEX password_resets_by_user ON public.password_resets USING btree (user_id)
CREATE UNIQUE INDEX password_resets_pkey ON public.password_resets USING btree (token_hash)
CREATE UNIQUE INDEX properties_pkey ON public.properties USING btree (id)
CREATE INDEX readings_decreased ON public.readings USING btree (property_id, reading_timestamp, meter_id) WHERE (decreased = 1)
CREATE INDEX readings_implausible ON public.readings USING btree (property_id, reading_timestamp, meter_id) WHERE (implausible = 1)
CREATE UNIQUE INDEX readings_pkey ON public.readings USING btree (property_id, meter_id, reading_timestamp)
CREATE INDEX readings_rates ON public.readings USING btree (property_id, meter_id, reading_timestamp) WHERE ((is_highest = 1) OR (implausible = 1))
CREATE INDEX refresh_tokens_by_session ON public.refresh_tokens USING btree (session_id)
CREATE UNIQUE INDEX refresh_tokens_pkey ON public.refresh_tokens USING btree (token_hash)
CREATE INDEX request_counts_by_expiry ON public.request_counts USING btree (expires_at)
CREATE UNIQUE INDEX request_counts_pkey ON public.request_counts USING btree (key)
CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (number)
CREATE INDEX sessions_by_expiry ON public.sessions USING btree (expires_at)
CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id)
CREATE UNIQUE INDEX sessions_pkey ON public.sessions USING btree (id)
CREATE UNIQUE INDEX users_email_folded_key ON public.users USING btree (email_folded)
CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)
CREATE UNIQUE INDEX users_username_folded_key ON public.users USING btree (username_folded)
CREATE TRIGGER batches_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.batches FOR EACH STATEMENT EXECUTE FUNCTION batches_refuse()
CREATE TRIGGER ledger_entries_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_refuse()
CREATE OR REPLACE FUNCTION public.batches_refuse()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN RAISE EXCEPTION 'batches: rows are only ever added'; END $function$

CREATE OR REPLACE FUNCTION public.ledger_entries_refuse()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN RAISE EXCEPTION 'ledger_entries: rows are only ever added'; END $function$

