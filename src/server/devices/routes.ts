import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function deviceRoutes({ bind, deps }: Routes): void {
  bind(contracts.listDevices, async ({ user_id, params, query }) =>
    answer(200, await actions.listDevices(deps, user_id, params.meter_id, query)),
  );
  bind(contracts.describeDevice, async ({ user_id, params, body }) =>
    answer(200, await actions.describeDevice(deps, user_id, params.meter_id, body)),
  );
  bind(contracts.replaceDevice, async ({ user_id, params, body }) =>
    answer(201, await actions.replaceDevice(deps, user_id, params.meter_id, body)),
  );
  bind(contracts.undoReplacement, async ({ user_id, params, query }) => {
    await actions.undoReplacement(deps, user_id, params, query);
    return answer(204, null);
  });
}
