import { contracts } from '../../contract/index.ts';
import { answer, answerOutcome, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function inputRoutes({ bind }: Routes): void {
  bind(contracts.createDeviceReading, async ({ deps, caller, params, body }) =>
    answerOutcome(await actions.createDeviceReading(deps, caller, params.meter_id, body)),
  );
  bind(contracts.createDeviceReadings, async ({ deps, caller, params, body }) => {
    const report = await actions.createDeviceReadings(deps, caller, params.property_id, body);
    return answer(report.recorded > 0 ? 201 : 200, report);
  });
}
