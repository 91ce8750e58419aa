import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function peopleRoutes({ bind }: Routes): void {
  bind(contracts.listMembers, async ({ deps, caller, params, query }) =>
    answer(200, await actions.listMembers(deps, caller, params.property_id, query)),
  );
  bind(contracts.setMember, async ({ deps, caller, params, body }) => {
    const { created, body: member } = await actions.setMember(deps, caller, params, body);
    return answer(created ? 201 : 200, member);
  });
  bind(contracts.removeMember, async ({ deps, caller, params }) => {
    await actions.removeMember(deps, caller, params);
    return answer(204, null);
  });
  bind(contracts.createInvitation, async ({ deps, caller, params, body }) =>
    answer(201, await actions.createInvitation(deps, caller, params.property_id, body)),
  );
  bind(contracts.listInvitations, async ({ deps, caller, params, query }) =>
    answer(200, await actions.listInvitations(deps, caller, params.property_id, query)),
  );
  bind(contracts.revokeInvitation, async ({ deps, caller, params }) => {
    await actions.revokeInvitation(deps, caller, params);
    return answer(204, null);
  });
  bind(contracts.getInvitation, async ({ deps, params }) =>
    answer(200, await actions.getInvitation(deps, params.token)),
  );
  bind(contracts.acceptInvitation, async ({ deps, caller, params }) =>
    answer(201, await actions.acceptInvitation(deps, caller, params.token)),
  );
}
