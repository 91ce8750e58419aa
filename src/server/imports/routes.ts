import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import { progressOf } from '../http/events.ts';
import * as actions from './actions.ts';

/**
 * Hands out a request's body. A refused upload is left half read: ending it must not end the connection, and what is
 * left is read away, or the connection's next request would never be seen.
 * @param body where it is to be read from: its Idempotency-Key may have somebody read along
 */
async function withUpload<T>(
  request: IncomingMessage,
  body: Readable,
  use: (upload: PassThrough) => Promise<T>,
): Promise<T> {
  const upload = new PassThrough();
  request.once('close', () => {
    if (!request.complete) upload.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
  });
  body.pipe(upload);
  try {
    return await use(upload);
  } finally {
    body.unpipe(upload);
    upload.destroy();
    body.resume();
  }
}

export function importRoutes({ bind }: Routes): void {
  bind(contracts.importReadings, async ({ deps, caller, query, request }) => {
    const length = request.headers['content-length'];
    const size = length === undefined ? null : Number(length);
    const progress = progressOf(request);
    // What comes as NDJSON is nothing else, even if it is empty; other types often say what is not so.
    const is_ndjson = request.headers['content-type'] === 'application/x-ndjson';
    const asked = is_ndjson ? { format: 'ndjson' as const, ...query } : query;
    const report = await withUpload(request.raw, request.body as Readable, (bytes) =>
      actions.importReadings(deps, caller, asked, { bytes, size, progress }),
    );
    return answer(report.batch_id === null ? 200 : 201, report);
  });
}
