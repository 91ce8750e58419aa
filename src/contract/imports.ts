import { type Static, Type } from 'typebox';
import { Closed, contract, Id, Instant, Nullable } from './schema.ts';

/** An import is refused beyond this many readings: two million fit in the memory of a small machine. */
export const MAX_IMPORTED_READINGS = 2_000_000;

export const ImportReport = Type.Object(
  {
    property_id: Id,
    dry_run: Type.Boolean(),
    batch_id: Nullable(Id),
    recorded: Type.Integer({ description: 'Readings recorded; with dry_run: that would be' }),
    unchanged: Type.Integer({ description: 'Readings that were there already, with the same value' }),
    meters: Type.Array(
      Type.Object({
        meter_id: Id,
        name: Type.String(),
        recorded: Type.Integer(),
        unchanged: Type.Integer(),
        flagged: Type.Integer({ description: 'Readings in force that the import left with a flag' }),
        first_reading_timestamp: Nullable(Instant),
        last_reading_timestamp: Nullable(Instant),
      }),
    ),
  },
  { $id: 'ImportReport' },
);
export type ImportReport = Static<typeof ImportReport>;

export const importReadings = contract({
  name: 'importReadings',
  method: 'POST',
  url: '/api/readings/import',
  summary: 'Record many readings at once: whole or not at all',
  description:
    'NDJSON: one object a line, `{"meter": name, "reading_timestamp", "value", "reading_type"?, "period_start"?, ' +
    '"note"?}`. CSV: a `timestamp` column and one column per meter, headed by its name. Timestamps carry their ' +
    'offset. An error names its line, as `line 17: value`; the first hundred are reported and nothing is written.',
  tag: 'imports',
  role: 'tenant',
  scope: 'readings:write',
  query: Closed({
    property_id: Id,
    dry_run: Type.Optional(
      Type.Boolean({ default: false, description: 'Report what would happen, record nothing' }),
    ),
  }),
  streams: ['application/x-ndjson', 'text/csv'],
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
