import { type Static, Type } from 'typebox';
import { SUB_METER_KINDS } from './meters.ts';
import { PropertyParams } from './properties.ts';
import { Warning } from './readings.ts';
import {
  Closed,
  contract,
  DateOrInstantInput,
  Id,
  Instant,
  InstantInput,
  Kwh,
  Nullable,
  OneOf,
} from './schema.ts';

export const BOUNDARIES = ['interpolate', 'exact'] as const;
export const INTERVALS = ['hour', 'day', 'week', 'month', 'year'] as const;
/** More buckets than this in one answer are refused: a year of hours fits. */
export const MAX_BUCKETS = 10_000;

const Boundary = OneOf(BOUNDARIES, {
  default: 'interpolate',
  description:
    'interpolate: between two readings on a straight line, marked estimated; exact: an instant without a reading is unknown',
});

const Figures = {
  consumption: Nullable(Kwh),
  known_consumption: Nullable(Kwh),
  coverage: Type.Number({ description: 'Share of the period over which consumption is known, 0 … 1' }),
  estimated: Type.Boolean({ description: 'Whether an end of the period lies between two readings' }),
};

const SubmeterRest = Nullable(
  Type.String({ description: 'For a meter with submeters of its own: what none of them measured' }),
);

/**
 * The property's own figures, the same in the answer for a period and in each bucket of a series. Null for tenants, but
 * for the main meter's and the unmetered rest where the property shares its totals with them.
 */
const Totals = {
  main_meter_consumption: Nullable(Kwh),
  total_submetered_consumption: Nullable(Type.String({ description: 'Sum of the direct submeters' })),
  unmetered_consumption: Nullable(
    Type.String({
      description: 'Main meter minus its direct submeters, never negative; null unless all are known',
    }),
  ),
  imbalance: Nullable(
    Type.String({
      description: 'The negative difference, where the submeters exceed the main meter; else null',
    }),
  ),
  unmetered_uncertainty: Nullable(
    Type.String({
      description:
        'How far the unmetered rest could move because ends were interpolated: no meter is assumed to have run faster ' +
        'than it ever has. 0 where every end was read; null where the rest is unknown',
    }),
  ),
  known_consumption: Nullable(Type.String({ description: 'Sum of the known parts of the main meter' })),
  coverage: Nullable(
    Type.Number({ description: 'Share of the period over which the main meter is known, 0 … 1' }),
  ),
  estimated: Type.Boolean({ description: 'Whether any figure of the answer is estimated' }),
};

export const PropertyConsumption = Type.Object(
  {
    property_id: Id,
    start_timestamp: Instant,
    end_timestamp: Instant,
    ...Totals,
    submeters: Type.Array(
      Type.Object({
        name: Type.String(),
        meter_id: Id,
        location: Nullable(Type.String()),
        parent_meter_id: Nullable(Id),
        sub_meter_kind: OneOf(SUB_METER_KINDS),
        start_value: Nullable(Type.String({ description: 'What was read at exactly the start' })),
        end_value: Nullable(Type.String({ description: 'What was read at exactly the end' })),
        ...Figures,
        unmetered_consumption: SubmeterRest,
      }),
    ),
    warnings: Type.Array(Warning),
  },
  { $id: 'Consumption' },
);
export type PropertyConsumption = Static<typeof PropertyConsumption>;

export const Series = Type.Object(
  {
    property_id: Id,
    interval: OneOf(INTERVALS),
    timezone: Type.String(),
    start_timestamp: Instant,
    end_timestamp: Instant,
    buckets: Type.Array(
      Type.Object({
        start_timestamp: Instant,
        end_timestamp: Instant,
        ...Totals,
        submeters: Type.Array(
          Type.Object({ meter_id: Id, name: Type.String(), ...Figures, unmetered_consumption: SubmeterRest }),
        ),
      }),
    ),
    warnings: Type.Array(Warning),
  },
  { $id: 'Series' },
);
export type Series = Static<typeof Series>;

export const getConsumption = contract({
  name: 'getConsumption',
  method: 'GET',
  url: '/api/readings/property/:property_id/consumption',
  summary: 'Who used what between two instants, and what nobody metered',
  tag: 'consumption',
  role: 'tenant',
  params: PropertyParams,
  query: Closed({
    start_timestamp: InstantInput,
    end_timestamp: InstantInput,
    boundary: Type.Optional(Boundary),
  }),
  response: { 200: PropertyConsumption },
  errors: ['forbidden', 'not_found'],
});

export const getSeries = contract({
  name: 'getSeries',
  method: 'GET',
  url: '/api/properties/:property_id/consumption/series',
  summary: 'Consumption of every meter and the unmetered rest, bucket by bucket',
  description:
    "Buckets are hours, days, ISO weeks, months or years of the property's time zone. They share their boundaries, " +
    `so they add up to the period exactly. At most ${MAX_BUCKETS} buckets in one answer.`,
  tag: 'consumption',
  role: 'tenant',
  params: PropertyParams,
  query: Closed({
    start_date: DateOrInstantInput,
    end_date: DateOrInstantInput,
    interval: OneOf(INTERVALS),
    boundary: Type.Optional(Boundary),
  }),
  response: { 200: Series },
  errors: ['forbidden', 'not_found'],
});
