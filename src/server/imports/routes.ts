import type { Readable } from 'node:stream';
import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import { progressOf } from '../http/events.ts';
import { withUpload } from '../http/upload.ts';
import * as actions from './actions.ts';

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
