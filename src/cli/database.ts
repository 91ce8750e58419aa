/** The database itself, for what no server does. */
import { connect, type Database } from '../server/db/connect.ts';
import { SCHEMA_VERSION, schemaVersion } from '../server/db/migrate.ts';
import { Failure } from './failure.ts';

/** Opens a database whose schema is current, works, closes it. An embedded one must not be in use. */
export async function withDatabase<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  const db = await connect(url);
  try {
    const version = await schemaVersion(db).catch(() => 0);
    if (version !== SCHEMA_VERSION) {
      throw new Failure(
        `The database has schema version ${version}, this Electric knows ${SCHEMA_VERSION}: migrate it first.`,
      );
    }
    return await work(db);
  } finally {
    await db.close();
  }
}
