import { Readable } from 'node:stream';
import { contracts } from '../../contract/index.ts';
import { attachment } from '../exports/attachment.ts';
import { answer, type Routes } from '../http/bind.ts';
import { withUpload } from '../http/upload.ts';
import * as actions from './actions.ts';

export function archiveRoutes({ bind }: Routes): void {
  bind(contracts.archiveProperty, async ({ deps, caller, params, reply }) => {
    const { name, body } = await actions.archiveProperty(deps, caller, params.property_id);
    reply.header('content-disposition', attachment(name));
    return answer(200, Readable.from(body));
  });
  bind(contracts.restoreArchive, async ({ deps, caller, params, request }) =>
    answer(
      201,
      await withUpload(request.raw, request.body as Readable, (upload) =>
        actions.restoreArchive(deps, caller, params.property_id, upload),
      ),
    ),
  );
}
