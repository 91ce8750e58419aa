import { Readable } from 'node:stream';
import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import { withUpload } from '../http/upload.ts';
import * as actions from './actions.ts';

export function photoRoutes({ bind }: Routes): void {
  bind(contracts.uploadPhoto, async ({ deps, caller, params, request }) => {
    const { created, body } = await withUpload(request.raw, request.body as Readable, (upload) =>
      actions.uploadPhoto(deps, caller, params.reading_id, upload),
    );
    return answer(created ? 201 : 200, body);
  });
  bind(contracts.getPhoto, async ({ deps, caller, params, reply }) => {
    const bytes = await actions.getPhoto(deps, caller, params.reading_id);
    // What a hash names never changes; whether one may see it does.
    reply.header('cache-control', 'private, max-age=3600');
    return answer(200, Readable.from([bytes]));
  });
}
