import { type Static, Type } from 'typebox';
import { PropertyParams } from './properties.ts';
import { Closed, contract, Id, Instant, Kwh, List, Nullable, OneOf, Page } from './schema.ts';

/** What a person should look at, the most important kind first. */
export const ATTENTION_CODES = [
  'decreased',
  'submeters_exceed_main',
  'submeters_exceed_parent',
  'implausible',
  'overdue',
] as const;

export const Attention = Type.Object(
  {
    code: OneOf(ATTENTION_CODES, { description: 'Stable, for programs' }),
    meter_id: Id,
    meter_name: Type.String(),
    reading_id: Nullable(Id),
    device_id: Nullable(Id),
    start_timestamp: Nullable(Instant),
    end_timestamp: Nullable(Instant),
    figures: Type.Object(
      {
        value: Nullable(Kwh),
        previous_value: Nullable(Kwh),
        consumption: Nullable(Kwh),
        imbalance: Nullable(Kwh),
        days: Nullable(Type.Number({ description: 'overdue: since the last reading' })),
        usual_days: Nullable(Type.Number({ description: 'overdue: usually between readings' })),
      },
      { description: 'What it is about; null where a figure does not belong to the code' },
    ),
    detail: Type.String({ description: 'What it means and what to do about it' }),
    actions: Type.Array(
      Type.Object({ operation: Type.String(), method: Type.String(), url: Type.String() }),
      { description: 'The calls that settle it, as far as the role of whoever asks reaches' },
    ),
  },
  { $id: 'Attention' },
);
export type Attention = Static<typeof Attention>;

export const listAttention = contract({
  name: 'listAttention',
  method: 'GET',
  url: '/api/properties/:property_id/attention',
  summary: 'What a person should look at, the most important first, each with what to do about it',
  description:
    'Unsettled decreases; submeters that measured more than the meter above them in the 31 days before its last ' +
    'reading; implausible rates; meters not read for more than twice their usual interval (the median of their last ' +
    'twelve, three at least).',
  tag: 'consumption',
  role: 'tenant',
  params: PropertyParams,
  query: Closed(Page),
  response: { 200: List(Attention) },
  errors: ['forbidden', 'not_found'],
});
