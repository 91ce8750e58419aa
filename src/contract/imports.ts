import { type Static, Type } from 'typebox';
import { Closed, contract, Id, Instant, Kwh, Nullable, OneOf, Text } from './schema.ts';

/** Of the readings that conflict, and of what is refused, a report lists so many. */
export const MAX_LISTED = 100;

const Column = Nullable(Type.String({ description: 'The heading of its column; null where it has none' }));
const Line = Type.Integer({ description: 'The line, row or entry of the file, counted from 1' });

const Count = (description: string) => Type.Integer({ description });

export const ImportReport = Type.Object(
  {
    property_id: Id,
    dry_run: Type.Boolean(),
    importable: Type.Boolean({ description: 'Whether the file can be imported as it is' }),
    batch_id: Nullable(Id),
    recorded: Count('Readings recorded; with dry_run: that would be'),
    unchanged: Count('Readings that were there already, with the same value'),
    repeated: Count('Readings that the file has once more, with the same value'),
    conflicting: Count('Readings that the ledger, or the file itself, has with another value'),
    refused: Count('What is wrong in the file'),
    bytes: Count('Of the file'),
    plan: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description:
        'How the file was understood: its format and layout, every setting that the query may override, and ' +
        '`explained`, a sentence for people about each decision',
    }),
    conflicts: Type.Array(
      Type.Object({
        line: Line,
        column: Column,
        meter_id: Nullable(Id),
        meter_name: Type.String(),
        reading_timestamp: Instant,
        value: Kwh,
        reading_type: Type.String(),
        recorded_value: Kwh,
        recorded_type: Type.String({
          description: 'absolute, relative, or replacement: the last register of a device',
        }),
        reading_id: Nullable(
          Type.Integer({
            description: 'The reading that is there; null where the other value is in the file itself',
          }),
        ),
        device_id: Nullable(
          Type.Integer({ description: 'The same, where it is the replacement of a device' }),
        ),
      }),
      { description: `The first ${MAX_LISTED}` },
    ),
    errors: Type.Array(
      Type.Object({
        path: Type.String({ description: 'As in a problem: `line 17: value`' }),
        line: Nullable(Line),
        column: Column,
        message: Type.String(),
      }),
      { description: `The first ${MAX_LISTED} of what is refused` },
    ),
    meters: Type.Array(
      Type.Object({
        meter_id: Nullable(Type.Integer({ description: 'Null only for one that a dry run would create' })),
        name: Type.String(),
        names_in_file: Type.Array(Type.String()),
        created: Type.Boolean({ description: 'Whether the import creates it' }),
        recorded: Type.Integer(),
        unchanged: Type.Integer(),
        repeated: Type.Integer(),
        conflicting: Type.Integer(),
        flagged: Type.Integer({ description: 'Readings in force that the import left with a flag' }),
        first_reading_timestamp: Nullable(Instant),
        last_reading_timestamp: Nullable(Instant),
        energy: Nullable(
          Type.String({
            description:
              'kWh from the first to the last of the file’s readings, as the ledger has it with them; an interval that ' +
              'the file begins with included, stretches of unknown energy not',
            examples: ['4425.305'],
          }),
        ),
      }),
    ),
  },
  { $id: 'ImportReport' },
);
export type ImportReport = Static<typeof ImportReport>;

/** How far an import has come. */
export interface ImportProgress {
  phase: 'receiving' | 'checking' | 'recording';
  /** Of the file, received so far. */
  bytes: number;
  /** Received, checked or recorded so far. */
  readings: number;
  /** Of bytes while receiving (null where the request does not say), else of readings. */
  total: number | null;
}

/** What may be said of a file that would otherwise be guessed. */
const WISHES = {
  format: Type.Optional(OneOf(['csv', 'xlsx', 'greenbutton', 'ndjson'])),
  delimiter: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 3,
      description: 'Between cells; a tab is %09 or `tab`',
      examples: [';'],
    }),
  ),
  decimal: Type.Optional(
    OneOf([',', '.'], { description: 'Before the decimals of numbers; in XLSX only of those that are text' }),
  ),
  date_format: Type.Optional(Type.String({ maxLength: 40, examples: ['dd.mm.yyyy'] })),
  timezone: Type.Optional(
    Type.String({
      maxLength: 60,
      description:
        'Where times have no offset: an IANA name, or an offset as +01:00. Else the zone of the property',
      examples: ['Europe/Paris'],
    }),
  ),
  unit: Type.Optional(OneOf(['wh', 'kwh', 'mwh'], { description: 'Of the values' })),
  reading_type: Type.Optional(
    OneOf(['absolute', 'relative'], { description: 'Whether the values are registers or intervals' }),
  ),
  label: Type.Optional(
    OneOf(['start', 'end'], { description: 'Which end of its interval the time of a value names' }),
  ),
  encoding: Type.Optional(Type.String({ maxLength: 40, examples: ['windows-1252'] })),
  columns: Type.Optional(
    Type.String({
      maxLength: 5000,
      description:
        'A JSON object from roles to headings; the roles are timestamp, date, time, period_start, meter, value, note, ' +
        'reading_type',
      examples: ['{"timestamp": "Zeit", "value": "Verbrauch"}'],
    }),
  ),
  round: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'Values with more than three decimals are rounded on the running total of their meter, not refused',
    }),
  ),
  meter: Type.Optional(Text(200)),
};

export const importReadings = contract({
  name: 'importReadings',
  method: 'POST',
  url: '/api/readings/import',
  summary: 'Record many readings at once: whole or not at all',
  description:
    'The file is told apart by its content; `plan` in the answer says how it was understood, and every guess can be ' +
    'overridden in the query. An error names its line and column, as `line 17: value`; the first hundred are reported ' +
    'and nothing is written. In a workbook (XLSX) a line is a row of the first sheet that is read; row 17 of the second ' +
    'is line 20000017, of the third line 30000017.\n\n' +
    'With `dry_run=true` nothing is written, and the answer is 200 also where the file has conflicts or errors: it ' +
    'lists them, and `importable` is false.\n\n' +
    'With `Accept: text/event-stream` the answer is a stream of events: `progress` ' +
    '(`{"phase": "receiving"|"checking"|"recording", "bytes", "readings", "total"}`), and at last one `report` (the ' +
    'body of the plain answer) or one `problem` (the body of the plain error); the status is then 200 in either case.',
  tag: 'imports',
  role: 'tenant',
  scope: 'readings:write',
  query: Closed({
    property_id: Id,
    dry_run: Type.Optional(
      Type.Boolean({ default: false, description: 'Report what would happen, record nothing' }),
    ),
    ...WISHES,
    meter_names: Type.Optional(
      Type.String({
        maxLength: 100_000,
        description: "A JSON object from the file's names of meters to names or ids of the property's meters",
        examples: ['{"Kök 1": "kitchen", "UP-4711": 12}'],
      }),
    ),
    create_missing: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Names that the property does not know become physical submeters below the main meter. Role: editor or ' +
          'higher; not with an API key',
      }),
    ),
  }),
  streams: [
    'application/x-ndjson',
    'text/csv',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/xml',
    'application/atom+xml',
    'text/xml',
    'text/tab-separated-values',
    'text/plain',
    'application/octet-stream',
  ],
  progress: true,
  response: { 201: ImportReport, 200: ImportReport },
  errors: [
    'forbidden',
    'not_found',
    'reading_conflict',
    'interval_overlap',
    'meter_inactive',
    'property_inactive',
    'body_too_large',
  ],
});
