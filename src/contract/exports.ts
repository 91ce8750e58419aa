import { Type } from 'typebox';
import { PropertyParams } from './properties.ts';
import { Closed, contract, DateOrInstantInput, Id, OneOf } from './schema.ts';

export const EXPORT_FORMATS = ['csv', 'xlsx', 'ndjson', 'greenbutton'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
export const EXPORT_TYPES: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ndjson: 'application/x-ndjson',
  greenbutton: 'application/atom+xml',
};
/** How a CSV writes numbers: en 1.5 and commas between cells; de and sv 1,5 and semicolons, as their spreadsheets do. */
export const EXPORT_LOCALES = ['en', 'de', 'sv'] as const;
export type ExportLocale = (typeof EXPORT_LOCALES)[number];
/** The columns of a CSV or XLSX. */
export const EXPORT_COLUMNS = [
  'timestamp',
  'meter_name',
  'meter_type',
  'value',
  'recorded_by',
  'reading_type',
  'period_start',
  'location',
  'flags',
  'source',
  'note',
  'recorded_at',
  'reading_id',
  'batch_id',
] as const;

export const exportReadings = contract({
  name: 'exportReadings',
  method: 'GET',
  url: '/api/readings/property/:property_id/export',
  summary: 'Download the readings of a property as a file',
  description:
    'The readings in force of the active meters that the caller sees, or of one meter. CSV and XLSX have the columns ' +
    `${EXPORT_COLUMNS.join(', ')}; values are kWh, text that a spreadsheet would run as a formula begins with an ` +
    'apostrophe in CSV. NDJSON has a reading a line, as an import takes it. Green Button is ESPI Atom XML, a usage ' +
    'point per meter, whole seconds. The start is inclusive, the end exclusive; a bare date is the first instant of ' +
    'that day in the zone; without them everything.',
  tag: 'exports',
  role: 'tenant',
  limit: 'export',
  params: PropertyParams,
  query: Closed({
    format: Type.Optional(OneOf(EXPORT_FORMATS, { default: 'csv' })),
    start_date: Type.Optional(DateOrInstantInput),
    end_date: Type.Optional(DateOrInstantInput),
    meter_id: Type.Optional(Id),
    locale: Type.Optional(
      OneOf(EXPORT_LOCALES, {
        default: 'en',
        description:
          'CSV: de and sv write decimal commas, semicolons and a byte order mark, as their Excel wants it',
      }),
    ),
    sheets: Type.Optional(
      OneOf(['one', 'per_meter'], { default: 'one', description: 'XLSX: one sheet, or one for each meter' }),
    ),
  }),
  download: Object.values(EXPORT_TYPES).map((type) => type.split(';')[0]!),
  response: { 200: Type.Unsafe<unknown>({ type: 'string' }) },
  errors: ['forbidden', 'not_found'],
});
