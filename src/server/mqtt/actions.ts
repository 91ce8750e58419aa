/** Which topics are heard, what is recorded of their messages, and which process listens. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/inputs.ts';
import type { MqttTopic } from '../../contract/inputs.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Caller } from '../auth/caller.ts';
import { uniqueViolation } from '../db/dialect.ts';
import { type Listed, listed, type Page } from '../db/page.ts';
import type { Tx } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { openMeter, requireRecordable } from '../meters/access.ts';
import { openProperty, openPropertyOf } from '../properties/access.ts';
import { lockPropertyOfMeter } from '../properties/store.ts';
import { recordOne } from '../readings/single.ts';
import { excerpt, readMessage, type Said } from './message.ts';
import * as store from './store.ts';

function instant(at_ms: number | null): string | null {
  return at_ms === null ? null : formatInstant(at_ms);
}

function present({ last_value_wh: _, last_packet_id: __, ...row }: store.TopicRow): MqttTopic {
  return {
    ...row,
    created_at: formatInstant(row.created_at),
    last_reading_timestamp: instant(row.last_reading_timestamp),
    last_refused_at: instant(row.last_refused_at),
  };
}

/** Whether the operator lets the editors of a property choose topics. */
function mayListen({ config }: Pick<Deps, 'config'>, property_id: number): boolean {
  const { MQTT_URL, MQTT_PROPERTIES } = config;
  return MQTT_URL !== null && (MQTT_PROPERTIES === 'all' || MQTT_PROPERTIES.includes(property_id));
}

export async function createMqttTopic(
  deps: Deps,
  caller: Caller,
  meter_id: number,
  body: Static<typeof contract.createMqttTopic.body>,
): Promise<MqttTopic> {
  const { db, clock } = deps;
  const { topic, value_field = null, time_field = null, unit = 'kWh', interval_seconds = 60 } = body;
  try {
    const row = await db.write(async (tx) => {
      await lockPropertyOfMeter(tx, meter_id);
      const opened = await openMeter(tx, caller, meter_id);
      requireRecordable(opened, 'meter_id');
      const { property_id } = opened.meter;
      if (!mayListen(deps, property_id)) {
        throw new DomainError(
          'mqtt_off',
          `This server listens to no MQTT broker for property ${property_id}: its operator sets MQTT_URL, and names the ` +
            'property in MQTT_PROPERTIES.',
        );
      }
      return store.insertTopic(tx, {
        property_id,
        meter_id,
        topic,
        value_field,
        time_field,
        unit,
        interval_seconds,
        configured_by_user_id: caller.user_id,
        created_at: clock(),
        refused_count: 0,
      });
    });
    return present(row);
  } catch (error) {
    if (!uniqueViolation(error)) throw error;
    throw new DomainError(
      'topic_taken',
      `A meter has the topic ${topic} already, and a topic is of one meter: take it from that one first.`,
    );
  }
}

export async function listMqttTopics(
  { db }: Deps,
  caller: Caller,
  property_id: number,
  page: Page,
): Promise<Listed<MqttTopic>> {
  await openProperty(db.read, caller, property_id);
  const { rows, total } = await store.listTopics(db.read, property_id, page);
  return listed(rows.map(present), total, page);
}

export async function deleteMqttTopic(
  { db, checkVersion }: Deps,
  caller: Caller,
  topic_id: number,
): Promise<void> {
  await db.write(async (tx) => {
    const topic = await store.findTopic(tx, topic_id);
    if (!topic) throw notFound('such MQTT topic');
    await openPropertyOf(tx, caller, topic, 'MQTT topic');
    await checkVersion(tx);
    await store.deleteTopic(tx, topic_id);
  });
}

/** The topics that this server may hear. */
export async function heardTopics(deps: Deps): Promise<Set<string>> {
  const topics = await store.everyTopic(deps.db.read);
  return new Set(topics.filter((row) => mayListen(deps, row.property_id)).map(({ topic }) => topic));
}

/** A message as it came from the broker. */
export interface Message {
  topic: string;
  payload: Uint8Array;
  /** The broker keeps it for whoever comes. */
  retained: boolean;
  /** The broker may have sent it before, under the same number. */
  repeated: boolean;
  /** Null where the broker waits for no acknowledgement. */
  packet_id: number | null;
}

/** What tells nothing new: kept by the broker, acknowledged too late, or sooner after the last reading than asked for. */
function isPassedOver(row: store.TopicRow, message: Message, said: Said, at_ms: number): boolean {
  const has_time = said.reading_timestamp !== null;
  if (!has_time && message.retained) return true;
  const { last_reading_timestamp: last_ms, last_value_wh, last_packet_id } = row;
  if (last_ms === null) return false;
  const is_repeat = message.repeated && message.packet_id === last_packet_id;
  if (!has_time && is_repeat && said.value_wh === last_value_wh) return true;
  // What has its own time may come late, and twice: the ledger knows it then.
  if (has_time && at_ms <= last_ms) return false;
  return at_ms < last_ms + row.interval_seconds * 1000;
}

/** @returns whether anybody wants to hear the topic */
async function recordMessage(deps: Deps, tx: Tx, message: Message): Promise<boolean> {
  const row = await store.lockTopic(tx, message.topic);
  if (!row || !mayListen(deps, row.property_id)) {
    deps.log.warn({ topic: message.topic }, 'a message of a topic that nobody has configured');
    return false;
  }
  const now_ms = deps.clock();
  const read = readMessage(message.payload, row, now_ms);
  if (!read.ok) throw new DomainError('validation_failed', read.message);
  const said = read.value;
  const at_ms = said.reading_timestamp ?? now_ms - (now_ms % 1000);
  if (isPassedOver(row, message, said, at_ms)) return true;
  const caller: Caller = {
    user_id: row.configured_by_user_id,
    needs: 'editor',
    session: null,
    api_key: null,
  };
  await recordOne(tx, { caller, source: 'device', now_ms }, row.meter_id, {
    value: formatKwh(said.value_wh),
    reading_timestamp: formatInstant(at_ms),
  });
  if (row.last_reading_timestamp !== null && at_ms < row.last_reading_timestamp) return true;
  await store.updateTopic(tx, row.id, {
    last_reading_timestamp: at_ms,
    last_value_wh: said.value_wh,
    last_packet_id: message.packet_id,
  });
  return true;
}

/**
 * Takes one message: once this resolves it is durable, or refused where people see it, and may be acknowledged. Rejects
 * where the database is away: the message is not to be acknowledged then.
 * @returns whether anybody wants to hear its topic
 */
export async function takeMessage(deps: Deps, message: Message): Promise<boolean> {
  const { db, clock, log } = deps;
  try {
    return await db.write((tx) => recordMessage(deps, tx, message));
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const refusal = `${error.message} The message: ${excerpt(message.payload)}`;
    log.warn({ topic: message.topic, reason: error.message }, 'an MQTT message was refused');
    await db.write((tx) => store.noteRefusal(tx, message.topic, clock(), refusal));
    return true;
  }
}

/** Notes that the broker does not let this server hear a topic. */
export async function noteUnheard({ db, clock, log }: Deps, topic: string): Promise<void> {
  log.warn({ topic }, 'the MQTT broker refuses the subscription');
  await db.write((tx) =>
    store.noteRefusal(tx, topic, clock(), 'The broker refuses the subscription: its rules must allow it.'),
  );
}

const LEASE = 'mqtt';

/** Takes or renews, for this process, the right to listen. @returns whether it may until the lease ends */
export function takeLease({ db, clock }: Deps, holder: string, lease_ms: number): Promise<boolean> {
  const now_ms = clock();
  return db.write((tx) => store.takeLease(tx, LEASE, holder, now_ms, now_ms + lease_ms));
}

export async function releaseLease({ db }: Deps, holder: string): Promise<void> {
  await db.write((tx) => store.releaseLease(tx, LEASE, holder));
}
