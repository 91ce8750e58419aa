import type { Readable } from 'node:stream';
import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function importRoutes({ bind, deps }: Routes): void {
  bind(contracts.importReadings, async ({ user_id, query, request }) => {
    const type = request.headers['content-type']!;
    const report = await actions.importReadings(deps, user_id, query, type, request.body as Readable);
    return answer(report.batch_id === null ? 200 : 201, report);
  });
}
