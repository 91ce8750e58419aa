import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';
import * as deletion from './deletion.ts';

export function meterRoutes({ bind }: Routes): void {
  bind(contracts.createMainMeter, async ({ deps, caller, body }) =>
    answer(201, await actions.createMainMeter(deps, caller, body)),
  );
  bind(contracts.createSubmeter, async ({ deps, caller, body }) =>
    answer(201, await actions.createSubmeter(deps, caller, body)),
  );
  bind(contracts.listMeters, async ({ deps, caller, params, query }) =>
    answer(200, await actions.listMeters(deps, caller, params.property_id, query)),
  );
  bind(contracts.getMeter, async ({ deps, caller, params }) =>
    answer(200, await actions.getMeter(deps, caller, params.meter_id)),
  );
  bind(contracts.updateMeter, async ({ deps, caller, params, body }) =>
    answer(200, await actions.updateMeter(deps, caller, params.meter_id, body)),
  );
  bind(contracts.deleteMeter, async ({ deps, caller, params }) => {
    await deletion.deleteMeter(deps, caller, params.meter_id);
    return answer(204, null);
  });
  bind(contracts.restoreMeter, async ({ deps, caller, params }) =>
    answer(200, await deletion.restoreMeter(deps, caller, params.meter_id)),
  );
}
