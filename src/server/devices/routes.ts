import { contracts } from '../../contract/index.ts';
import { answer, answerOutcome, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';
import * as corrections from './corrections.ts';

export function deviceRoutes({ bind }: Routes): void {
  bind(contracts.listDevices, async ({ deps, caller, params, query }) =>
    answer(200, await actions.listDevices(deps, caller, params.meter_id, query)),
  );
  bind(contracts.describeDevice, async ({ deps, caller, params, body }) =>
    answer(201, await actions.describeDevice(deps, caller, params.meter_id, body)),
  );
  bind(contracts.correctDevice, async ({ deps, caller, params, body }) =>
    answer(200, await corrections.correctDevice(deps, caller, params, body)),
  );
  bind(contracts.confirmDevice, async ({ deps, caller, params, body }) =>
    answerOutcome(await corrections.confirmDevice(deps, caller, params, body)),
  );
  bind(contracts.replaceDevice, async ({ deps, caller, params, body }) =>
    answer(201, await actions.replaceDevice(deps, caller, params.meter_id, body)),
  );
  bind(contracts.undoReplacement, async ({ deps, caller, params, query }) => {
    await actions.undoReplacement(deps, caller, params, query);
    return answer(204, null);
  });
}
