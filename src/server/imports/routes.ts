import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

/**
 * Hands out a request's body. A refused upload is left half read: ending it must not end the connection, and what is
 * left is read away, or the connection's next request would never be seen.
 */
async function withUpload<T>(request: IncomingMessage, use: (upload: PassThrough) => Promise<T>): Promise<T> {
  const upload = new PassThrough();
  request.once('close', () => {
    if (!request.complete) upload.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
  });
  request.pipe(upload);
  try {
    return await use(upload);
  } finally {
    request.unpipe(upload);
    upload.destroy();
    request.resume();
  }
}

export function importRoutes({ bind, deps }: Routes): void {
  bind(contracts.importReadings, async ({ caller, query, request }) => {
    const type = request.headers['content-type']!;
    const report = await withUpload(request.raw, (upload) =>
      actions.importReadings(deps, caller, query, type, upload),
    );
    return answer(report.batch_id === null ? 200 : 201, report);
  });
}
