/** Understands what an import's query says of its file. */
import type { Static } from 'typebox';
import type * as contract from '../../contract/imports.ts';
import type { FieldError } from '../../contract/problem.ts';
import { invalid } from '../errors.ts';
import { parseStrictly } from '../http/json-body.ts';
import type { Wishes } from './formats/format.ts';

export type Query = Static<typeof contract.importReadings.query>;

const UNITS = { wh: 'Wh', kwh: 'kWh', mwh: 'MWh' } as const;
const ROLES = ['timestamp', 'date', 'time', 'period_start', 'meter', 'value', 'note', 'reading_type'];

/** A JSON object whose values are of some types; undefined where nothing was said. */
function readObject(
  path: string,
  text: string | undefined,
  types: readonly string[],
  errors: FieldError[],
): Record<string, string | number> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = parseStrictly(text);
    const is_object = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (is_object && Object.values(value).every((each) => types.includes(typeof each)))
      return value as Record<string, string | number>;
  } catch {
    // The same remedy.
  }
  errors.push({ path, message: `must be a JSON object whose values are each a ${types.join(' or a ')}` });
  return undefined;
}

export interface Question {
  wishes: Wishes;
  meter_names: Record<string, string | number>;
}

/** @throws validation_failed */
export function readQuestion(query: Query): Question {
  const { format, decimal, date_format, timezone, reading_type, label, encoding, round, meter } = query;
  const errors: FieldError[] = [];
  const columns = readObject('columns', query.columns, ['string'], errors) as
    | Record<string, string>
    | undefined;
  const meter_names = readObject('meter_names', query.meter_names, ['string', 'number'], errors) ?? {};
  const unknown = Object.keys(columns ?? {}).filter((role) => !ROLES.includes(role));
  if (unknown.length > 0) {
    const message = `has ${unknown.join(', ')}, which is no role: there are ${ROLES.join(', ')}`;
    errors.push({ path: 'columns', message });
  }
  if (errors.length > 0) throw invalid(errors);
  const wishes: Wishes = {
    ...(format && { format }),
    ...(query.delimiter && { delimiter: query.delimiter.toLowerCase() === 'tab' ? '\t' : query.delimiter }),
    ...(decimal && { decimal }),
    ...(date_format && { date_format }),
    ...(timezone && { timezone }),
    ...(query.unit && { unit: UNITS[query.unit] }),
    ...(reading_type && { reading_type }),
    ...(label && { label }),
    ...(encoding && { encoding }),
    ...(columns && { columns }),
    ...(round && { round }),
    ...(meter && { meter }),
  };
  return { wishes, meter_names };
}
