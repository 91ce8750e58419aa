import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function meterRoutes({ bind, deps }: Routes): void {
  bind(contracts.createMainMeter, async ({ user_id, body }) =>
    answer(201, await actions.createMainMeter(deps, user_id, body)),
  );
  bind(contracts.createSubmeter, async ({ user_id, body }) =>
    answer(201, await actions.createSubmeter(deps, user_id, body)),
  );
  bind(contracts.listMeters, async ({ user_id, params, query }) =>
    answer(200, await actions.listMeters(deps, user_id, params.property_id, query)),
  );
  bind(contracts.getMeter, async ({ user_id, params }) =>
    answer(200, await actions.getMeter(deps, user_id, params.meter_id)),
  );
  bind(contracts.updateMeter, async ({ user_id, params, body }) =>
    answer(200, await actions.updateMeter(deps, user_id, params.meter_id, body)),
  );
}
