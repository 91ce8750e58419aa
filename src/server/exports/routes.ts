import { Readable } from 'node:stream';
import { EXPORT_TYPES } from '../../contract/exports.ts';
import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';
import { attachment } from './attachment.ts';

export function exportRoutes({ bind }: Routes): void {
  bind(contracts.exportReadings, async ({ deps, caller, params, query, reply }) => {
    const { format, name, body } = await actions.exportReadings(deps, caller, params.property_id, query);
    reply.type(EXPORT_TYPES[format]);
    reply.header('content-disposition', attachment(name));
    return answer(200, Readable.from(body));
  });
}
