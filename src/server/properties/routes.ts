import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function propertyRoutes({ bind }: Routes): void {
  bind(contracts.createProperty, async ({ deps, caller, body }) =>
    answer(201, await actions.createProperty(deps, caller, body)),
  );
  bind(contracts.listProperties, async ({ deps, caller, query }) =>
    answer(200, await actions.listProperties(deps, caller, query)),
  );
  bind(contracts.getProperty, async ({ deps, caller, params }) =>
    answer(200, await actions.getProperty(deps, caller, params.property_id)),
  );
  bind(contracts.updateProperty, async ({ deps, caller, params, body }) =>
    answer(200, await actions.updateProperty(deps, caller, params.property_id, body)),
  );
  bind(contracts.deleteProperty, async ({ deps, caller, params, query }) => {
    await actions.deleteProperty(deps, caller, params.property_id, query);
    return answer(204, null);
  });
  bind(contracts.restoreProperty, async ({ deps, caller, params }) =>
    answer(200, await actions.restoreProperty(deps, caller, params.property_id)),
  );
}
