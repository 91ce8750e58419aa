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
  Nullable,
  Page,
  PastInstantInput,
  Reason,
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
  role: 'tenant',
  params: MeterParams,
  query: Closed(Page),
  response: { 200: List(Device) },
  errors: ['forbidden', 'not_found'],
});

export const describeDevice = contract({
  name: 'describeDevice',
  method: 'POST',
  url: '/api/meters/:meter_id/devices',
  summary: "Say what a meter's first device is, of which nobody has said anything yet",
  description: 'It holds from the first reading on. What was said already is corrected with PATCH.',
  tag: 'meters',
  role: 'editor',
  params: MeterParams,
  body: Closed({ ...DeviceInput.properties, reason: Type.Optional(Reason) }, { minProperties: 1 }),
  response: { 201: Device },
  errors: ['forbidden', 'not_found', 'device_described', 'meter_inactive', 'property_inactive'],
});

const DeviceParams = Type.Object({ meter_id: Id, device_id: Id });
const CHANGING = [
  'forbidden',
  'not_found',
  'reading_conflict',
  'interval_overlap',
  'meter_inactive',
  'property_inactive',
] as const;

export const correctDevice = contract({
  name: 'correctDevice',
  method: 'PATCH',
  url: '/api/meters/:meter_id/devices/:device_id',
  summary: 'Correct what was said of a device, the present one or an earlier one',
  description:
    'A correction, not a replacement: it holds for as long as the device was there, and gives the device another id. ' +
    '`final_value` is what the device before it showed last; the first device has none, no `installed_at` and no ' +
    '`initial_value`.',
  tag: 'meters',
  role: 'editor',
  params: DeviceParams,
  body: Closed({
    ...DeviceInput.properties,
    installed_at: Type.Optional(PastInstantInput),
    final_value: Type.Optional(KwhInput),
    initial_value: Type.Optional(KwhInput),
    reason: Reason,
  }),
  response: { 200: Device },
  errors: CHANGING,
});

export const confirmDevice = contract({
  name: 'confirmDevice',
  method: 'POST',
  url: '/api/meters/:meter_id/devices/:device_id/confirm',
  summary: 'Settle an implausible rate up to a replacement: somebody looked, and it is right',
  description: '200, and nothing is written, where it is confirmed already.',
  tag: 'meters',
  role: 'editor',
  params: DeviceParams,
  body: Closed({ reason: Type.Optional(Reason) }),
  response: { 201: Device, 200: Device },
  errors: CHANGING,
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
  role: 'editor',
  params: MeterParams,
  body: Closed({
    replaced_at: PastInstantInput,
    final_value: KwhInput,
    initial_value: KwhInput,
    ...DeviceInput.properties,
    reason: Type.Optional(Reason),
  }),
  response: { 201: Device },
  errors: CHANGING,
});

export const undoReplacement = contract({
  name: 'undoReplacement',
  method: 'DELETE',
  url: '/api/meters/:meter_id/replacements/:device_id',
  summary: 'Undo a replacement: it never happened',
  tag: 'meters',
  role: 'editor',
  params: DeviceParams,
  query: Closed({ reason: Reason }),
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found', 'interval_overlap', 'meter_inactive', 'property_inactive'],
});
