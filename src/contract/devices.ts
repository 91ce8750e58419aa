import { type Static, Type } from 'typebox';
import { DeviceInput, MeterParams } from './meters.ts';
import { Warning } from './readings.ts';
import {
  Closed,
  contract,
  Id,
  Instant,
  Kwh,
  KwhInput,
  List,
  Note,
  Nullable,
  Page,
  PastInstantInput,
} from './schema.ts';

export const Device = Type.Object(
  {
    id: Nullable(Id),
    meter_id: Id,
    serial_number: Nullable(Type.String()),
    digits: Nullable(Type.Integer({ description: 'Digits before the decimal point' })),
    multiplier: Type.Integer({ description: 'Current-transformer ratio: energy per unit of the register' }),
    installed_at: Nullable(Instant),
    removed_at: Nullable(Instant),
    initial_value: Nullable(Kwh),
    final_value: Nullable(Kwh),
    reason: Nullable(Type.String()),
    warnings: Type.Array(Warning),
  },
  { $id: 'Device' },
);
export type Device = Static<typeof Device>;

export const listDevices = contract({
  name: 'listDevices',
  method: 'GET',
  url: '/api/meters/:meter_id/devices',
  summary: 'The devices of a meter, in the order of their installation',
  description:
    'The first device has no `installed_at`; its `id` is null as long as nobody has said anything about it.',
  tag: 'meters',
  params: MeterParams,
  query: Closed(Page),
  response: { 200: List(Device) },
  errors: ['forbidden', 'not_found'],
});

export const describeDevice = contract({
  name: 'describeDevice',
  method: 'PATCH',
  url: '/api/meters/:meter_id/device',
  summary: 'Say what device a meter has now, or correct what was said',
  description: 'A correction, not a replacement: it holds for as long as the device has been there.',
  tag: 'meters',
  params: MeterParams,
  body: Closed({ ...DeviceInput.properties, reason: Type.Optional(Note(500)) }, { minProperties: 1 }),
  response: { 200: Device },
  errors: ['forbidden', 'not_found', 'meter_inactive', 'property_inactive'],
});

export const replaceDevice = contract({
  name: 'replaceDevice',
  method: 'POST',
  url: '/api/meters/:meter_id/replacements',
  summary: 'Record that the device was replaced; the meter goes on',
  description:
    'May lie in the past, also before readings of the new device that were recorded already. ' +
    'The multiplier stays what it was unless given: the transformers usually stay.',
  tag: 'meters',
  params: MeterParams,
  body: Closed({
    replaced_at: PastInstantInput,
    final_value: KwhInput,
    initial_value: KwhInput,
    ...DeviceInput.properties,
    reason: Type.Optional(Note(500)),
  }),
  response: { 201: Device },
  errors: [
    'forbidden',
    'not_found',
    'reading_conflict',
    'interval_overlap',
    'meter_inactive',
    'property_inactive',
  ],
});

export const undoReplacement = contract({
  name: 'undoReplacement',
  method: 'DELETE',
  url: '/api/meters/:meter_id/replacements/:device_id',
  summary: 'Undo a replacement: it never happened',
  tag: 'meters',
  params: Type.Object({ meter_id: Id, device_id: Id }),
  query: Closed({ reason: Type.Optional(Note(500)) }),
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found', 'interval_overlap', 'meter_inactive', 'property_inactive'],
});
