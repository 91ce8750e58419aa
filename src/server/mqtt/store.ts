import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Unit } from '../../core/device-input.ts';
import { lockRows } from '../db/dialect.ts';
import type { Page } from '../db/page.ts';
import type { Db, Tables, Tx } from '../db/tables.ts';

export type TopicRow = Omit<Selectable<Tables['mqtt_topics']>, 'unit'> & { unit: Unit };

export async function insertTopic(tx: Tx, topic: Insertable<Tables['mqtt_topics']>): Promise<TopicRow> {
  return (await tx
    .insertInto('mqtt_topics')
    .values(topic)
    .returningAll()
    .executeTakeFirstOrThrow()) as TopicRow;
}

export async function findTopic(db: Db, id: number): Promise<TopicRow | undefined> {
  return (await db.selectFrom('mqtt_topics').selectAll().where('id', '=', id).executeTakeFirst()) as
    | TopicRow
    | undefined;
}

/** The row of a topic, kept as it is until the transaction ends: its messages are taken one at a time. */
export async function lockTopic(tx: Tx, topic: string): Promise<TopicRow | undefined> {
  await lockRows(tx, sql`SELECT id FROM mqtt_topics WHERE topic = ${topic}`);
  return (await tx.selectFrom('mqtt_topics').selectAll().where('topic', '=', topic).executeTakeFirst()) as
    | TopicRow
    | undefined;
}

/** The topics of a property, in the order in which they were configured. */
export async function listTopics(
  db: Db,
  property_id: number,
  { limit, offset }: Page,
): Promise<{ rows: TopicRow[]; total: number }> {
  const found = db.selectFrom('mqtt_topics').where('property_id', '=', property_id);
  const rows = await found.selectAll().orderBy('id').limit(limit!).offset(offset!).execute();
  const { total } = await found
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows: rows as TopicRow[], total: Number(total) };
}

/** Every topic that is configured, and the property it is of. */
export async function everyTopic(db: Db): Promise<{ topic: string; property_id: number }[]> {
  return db.selectFrom('mqtt_topics').select(['topic', 'property_id']).execute();
}

export async function updateTopic(
  tx: Tx,
  id: number,
  changes: Updateable<Tables['mqtt_topics']>,
): Promise<void> {
  await tx.updateTable('mqtt_topics').set(changes).where('id', '=', id).execute();
}

/** Counts a message that was refused. */
export async function noteRefusal(tx: Tx, topic: string, at_ms: number, refusal: string): Promise<void> {
  await tx
    .updateTable('mqtt_topics')
    .set((eb) => ({
      refused_count: eb('refused_count', '+', 1),
      last_refused_at: at_ms,
      last_refusal: refusal,
    }))
    .where('topic', '=', topic)
    .execute();
}

export async function deleteTopic(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('mqtt_topics').where('id', '=', id).execute();
}

/** Takes or renews a lease. @returns whether the holder has it until then */
export async function takeLease(
  tx: Tx,
  name: string,
  holder: string,
  now_ms: number,
  expires_ms: number,
): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO leases (name, holder, expires_at) VALUES (${name}, ${holder}, ${expires_ms})
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE leases.holder = excluded.holder OR leases.expires_at <= ${now_ms}
    RETURNING name`.execute(tx);
  return rows.length > 0;
}

export async function releaseLease(tx: Tx, name: string, holder: string): Promise<void> {
  await tx.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute();
}
