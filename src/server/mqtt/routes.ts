import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function mqttRoutes({ bind }: Routes): void {
  bind(contracts.createMqttTopic, async ({ deps, caller, params, body }) =>
    answer(201, await actions.createMqttTopic(deps, caller, params.meter_id, body)),
  );
  bind(contracts.listMqttTopics, async ({ deps, caller, params, query }) =>
    answer(200, await actions.listMqttTopics(deps, caller, params.property_id, query)),
  );
  bind(contracts.deleteMqttTopic, async ({ deps, caller, params }) => {
    await actions.deleteMqttTopic(deps, caller, params.topic_id);
    return answer(204, null);
  });
}
