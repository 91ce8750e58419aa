import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function consumptionRoutes({ bind }: Routes): void {
  bind(contracts.getConsumption, async ({ deps, caller, params, query }) =>
    answer(200, await actions.getConsumption(deps, caller, params.property_id, query)),
  );
  bind(contracts.getSeries, async ({ deps, caller, params, query }) =>
    answer(200, await actions.getSeries(deps, caller, params.property_id, query)),
  );
}
