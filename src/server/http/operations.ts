/** Whether the server lives and can serve, and what it serves. */
import openapi from '../../../docs/openapi.json' with { type: 'json' };
import { contracts } from '../../contract/index.ts';
import { SCHEMA_VERSION, schemaVersion } from '../db/migrate.ts';
import { DomainError } from '../errors.ts';
import { answer, type Routes } from './bind.ts';

export function operations({ bind }: Routes): void {
  bind(contracts.getHealth, async () => answer(200, { status: 'ok' as const }));
  bind(contracts.getReadiness, async ({ deps }) => {
    const schema_version = await schemaVersion(deps.db);
    if (schema_version !== SCHEMA_VERSION) {
      throw new DomainError(
        'unavailable',
        `The database has schema version ${schema_version}, not ${SCHEMA_VERSION}.`,
        {
          retry_after: 5,
        },
      );
    }
    return answer(200, { status: 'ready' as const, schema_version });
  });
  bind(contracts.getOpenapi, async () => answer(200, openapi));
}
