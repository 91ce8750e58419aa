/** Looks at what a database is asked for. */
import type { CompiledQuery } from 'kysely';
import type { Db } from '../../src/server/db/tables.ts';

/** Runs `use` with a database that keeps account of every statement it is asked for. */
export async function statementsOf<D extends Db>(
  db: D,
  use: (db: D) => Promise<unknown>,
): Promise<CompiledQuery[]> {
  const seen: CompiledQuery[] = [];
  /** `target`, but that every query it is handed is written down. */
  const listening = <T extends object>(target: T, own: Record<string, unknown> = {}): T =>
    new Proxy(target, {
      get(_, name) {
        if (typeof name === 'string' && name in own) return own[name];
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'executeQuery') return value.bind(target);
        return (query: CompiledQuery, ...rest: unknown[]) => {
          seen.push(query);
          return value.call(target, query, ...rest);
        };
      },
    });
  const executor = listening(db.getExecutor());
  const recording = listening(db, { getExecutor: () => executor });
  await use(recording);
  return seen;
}
