import { Readable } from 'node:stream';
import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function ledgerRoutes({ bind }: Routes): void {
  bind(contracts.listBatches, async ({ deps, caller, params, query }) =>
    answer(200, await actions.listBatches(deps, caller, params.property_id, query)),
  );
  bind(contracts.verifyLedger, async ({ deps, caller, params }) =>
    answer(200, await actions.verifyLedger(deps, caller, params.property_id)),
  );
  bind(contracts.exportLedger, async ({ deps, caller, params, reply }) => {
    const lines = await actions.exportLedger(deps, caller, params.property_id);
    reply.header('content-disposition', `attachment; filename="ledger-${params.property_id}.ndjson"`);
    return answer(200, Readable.from(lines));
  });
  bind(contracts.proveReading, async ({ deps, caller, params }) =>
    answer(200, await actions.proveReading(deps, caller, params.reading_id)),
  );
}
