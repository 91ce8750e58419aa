import { contracts } from '../../contract/index.ts';
import { answer, answerOutcome, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';
import * as corrections from './corrections.ts';
import { undoBatch } from './undo.ts';

export function readingRoutes({ bind }: Routes): void {
  bind(contracts.createReading, async ({ deps, caller, body }) =>
    answerOutcome(await actions.createReading(deps, caller, body)),
  );
  bind(contracts.createReadings, async ({ deps, caller, body }) =>
    answerOutcome(await actions.createReadings(deps, caller, body)),
  );
  bind(contracts.getReading, async ({ deps, caller, params }) =>
    answer(200, await actions.getReading(deps, caller, params.reading_id)),
  );
  bind(contracts.correctReading, async ({ deps, caller, params, body, reply }) => {
    const reading = await corrections.correctReading(deps, caller, params.reading_id, body);
    // What is answered, ETag and all, is the new entry.
    reply.header('content-location', `/api/readings/${reading.id}`);
    return answer(200, reading);
  });
  bind(contracts.voidReading, async ({ deps, caller, params, query }) => {
    await corrections.voidReading(deps, caller, params.reading_id, query);
    return answer(204, null);
  });
  bind(contracts.settleRollover, async ({ deps, caller, params, body }) =>
    answerOutcome(await corrections.settleRollover(deps, caller, params.reading_id, body)),
  );
  bind(contracts.confirmReading, async ({ deps, caller, params, body }) =>
    answerOutcome(await corrections.confirmReading(deps, caller, params.reading_id, body)),
  );
  bind(contracts.listRevisions, async ({ deps, caller, params, query }) =>
    answer(200, await actions.listRevisions(deps, caller, params.reading_id, query)),
  );
  bind(contracts.undoBatch, async ({ deps, caller, params, body }) =>
    answer(201, await undoBatch(deps, caller, params.property_id, params.batch_id, body.reason)),
  );
  bind(contracts.getSummary, async ({ deps, caller, params, query }) =>
    answer(200, await actions.getSummary(deps, caller, params.property_id, query)),
  );
  bind(contracts.getLatest, async ({ deps, caller, params }) =>
    answer(200, await actions.getLatest(deps, caller, params.property_id)),
  );
  bind(contracts.getHistory, async ({ deps, caller, params, query }) =>
    answer(200, await actions.getHistory(deps, caller, params.meter_id, query)),
  );
  bind(contracts.getMeterRange, async ({ deps, caller, params, query }) =>
    answer(200, await actions.getMeterRange(deps, caller, params.meter_id, query)),
  );
  bind(contracts.getPropertyRange, async ({ deps, caller, params, query }) =>
    answer(200, await actions.getPropertyRange(deps, caller, params.property_id, query)),
  );
}
