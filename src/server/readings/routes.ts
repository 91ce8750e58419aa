import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';
import * as corrections from './corrections.ts';
import { undoBatch } from './undo.ts';

export function readingRoutes({ bind, deps }: Routes): void {
  bind(contracts.createReading, async ({ user_id, body }) => {
    const { created, body: reading } = await actions.createReading(deps, user_id, body);
    return answer(created ? 201 : 200, reading);
  });
  bind(contracts.createReadings, async ({ user_id, body }) => {
    const { created, body: readings } = await actions.createReadings(deps, user_id, body);
    return answer(created ? 201 : 200, readings);
  });
  bind(contracts.getReading, async ({ user_id, params }) =>
    answer(200, await actions.getReading(deps, user_id, params.reading_id)),
  );
  bind(contracts.correctReading, async ({ user_id, params, body }) =>
    answer(200, await corrections.correctReading(deps, user_id, params.reading_id, body)),
  );
  bind(contracts.voidReading, async ({ user_id, params, query }) => {
    await corrections.voidReading(deps, user_id, params.reading_id, query);
    return answer(204, null);
  });
  bind(contracts.settleRollover, async ({ user_id, params, body }) =>
    answer(201, await corrections.settleRollover(deps, user_id, params.reading_id, body)),
  );
  bind(contracts.confirmReading, async ({ user_id, params, body }) =>
    answer(201, await corrections.confirmReading(deps, user_id, params.reading_id, body)),
  );
  bind(contracts.listRevisions, async ({ user_id, params, query }) =>
    answer(200, await actions.listRevisions(deps, user_id, params.reading_id, query)),
  );
  bind(contracts.undoBatch, async ({ user_id, params, body }) =>
    answer(201, await undoBatch(deps, user_id, params.property_id, params.batch_id, body.reason)),
  );
  bind(contracts.getSummary, async ({ user_id, params, query }) =>
    answer(200, await actions.getSummary(deps, user_id, params.property_id, query)),
  );
  bind(contracts.getLatest, async ({ user_id, params }) =>
    answer(200, await actions.getLatest(deps, user_id, params.property_id)),
  );
  bind(contracts.getHistory, async ({ user_id, params, query }) =>
    answer(200, await actions.getHistory(deps, user_id, params.meter_id, query)),
  );
  bind(contracts.getMeterRange, async ({ user_id, params, query }) =>
    answer(200, await actions.getMeterRange(deps, user_id, params.meter_id, query)),
  );
  bind(contracts.getPropertyRange, async ({ user_id, params, query }) =>
    answer(200, await actions.getPropertyRange(deps, user_id, params.property_id, query)),
  );
}
