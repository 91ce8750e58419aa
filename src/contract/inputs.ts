import { type Static, Type } from 'typebox';
import { MeterParams } from './meters.ts';
import { PROBLEMS } from './problem.ts';
import { PropertyParams } from './properties.ts';
import { READING_TYPES, Reading } from './readings.ts';
import {
  Closed,
  contract,
  Id,
  Instant,
  InstantInput,
  Kwh,
  KwhInput,
  List,
  Note,
  Nullable,
  OneOf,
  Page,
  PastInstantInput,
} from './schema.ts';

const KEY_HEADERS = 'The API key may also come in the header `APIKEY` or `X-API-Key`.';
const RECORDING = [
  'forbidden',
  'not_found',
  'reading_conflict',
  'interval_overlap',
  'meter_inactive',
  'property_inactive',
] as const;

export const createDeviceReading = contract({
  name: 'createDeviceReading',
  method: 'POST',
  url: '/api/meters/:meter_id/readings',
  summary: 'Record what a device reads: a number is enough',
  description:
    `The body is JSON, or the bare number of kWh as text/plain. Without a timestamp the reading is of now, by the server's clock, ` +
    `to the second. The same value again for the same instant is the same reading (200). ${KEY_HEADERS}`,
  tag: 'devices that send',
  role: 'tenant',
  scope: 'readings:write',
  device: true,
  text: true,
  etag: true,
  params: MeterParams,
  body: Closed({
    value: KwhInput,
    reading_timestamp: Type.Optional(PastInstantInput),
    reading_type: Type.Optional(
      OneOf(READING_TYPES, { default: 'absolute', description: 'relative ones need a reading_timestamp' }),
    ),
    period_start: Type.Optional(Nullable(InstantInput)),
    note: Type.Optional(Nullable(Note(2000))),
  }),
  response: { 201: Reading, 200: Reading },
  errors: RECORDING,
});

const OUTCOMES = ['recorded', 'unchanged', 'skipped', 'refused'] as const;

export const DeviceReport = Type.Object(
  {
    property_id: Id,
    recorded: Type.Integer(),
    unchanged: Type.Integer({ description: 'The same reading was there already' }),
    skipped: Type.Integer({ description: 'The device itself had no value' }),
    refused: Type.Integer(),
    readings: Type.Array(
      Type.Object({
        name: Type.String(),
        outcome: OneOf(OUTCOMES),
        meter_id: Nullable(Id),
        reading_id: Nullable(
          Type.Integer({ description: 'The reading; where another one is in the way: that one' }),
        ),
        reading_timestamp: Nullable(Instant),
        value: Nullable(Kwh),
        code: Nullable(OneOf(Object.keys(PROBLEMS), { description: 'Why it was refused, for programs' })),
        reason: Nullable(
          Type.String({ description: 'Why it was skipped or refused, and what to do about it' }),
        ),
      }),
      { description: 'In the order in which they were sent' },
    ),
  },
  { $id: 'DeviceReport' },
);
export type DeviceReport = Static<typeof DeviceReport>;

/** What an AI-on-the-edge camera says of one of its numbers: the names are the device's. */
const CameraNumber = Type.Object(
  {
    name: Type.String({ maxLength: 200, description: "The meter's name; `main` is also the main meter" }),
    value: Type.Optional(
      Type.Unsafe<string | number | null>({
        type: ['string', 'number', 'null'],
        maxLength: 100,
        description: 'kWh; empty where the camera rejected what it saw',
      }),
    ),
    timestampLong: Type.Optional(
      Type.Unsafe<string | number>({
        type: ['string', 'number'],
        maxLength: 100,
        description: 'Epoch seconds',
      }),
    ),
    timestamp: Type.Optional(
      Type.String({ maxLength: 100, description: 'Used where timestampLong is missing; with its offset' }),
    ),
    error: Type.Optional(Nullable(Type.String({ maxLength: 500 }))),
  },
  { additionalProperties: true },
);
export type CameraNumber = Static<typeof CameraNumber>;

export const createDeviceReadings = contract({
  name: 'createDeviceReadings',
  method: 'POST',
  url: '/api/properties/:property_id/device-readings',
  summary: 'Record what an AI-on-the-edge camera reads: the array that its webhook sends',
  description:
    'Every number is recorded by itself: a device does not repeat itself, so one that is refused takes no other with ' +
    'it. The answer says of each what became of it: 201 if any was recorded, else 200. Numbers without a value are ' +
    `skipped; a timestamp that was sent before is the same reading. ${KEY_HEADERS}`,
  tag: 'devices that send',
  role: 'tenant',
  scope: 'readings:write',
  device: true,
  params: PropertyParams,
  body: Type.Array(CameraNumber, { minItems: 1, maxItems: 50 }),
  response: { 201: DeviceReport, 200: DeviceReport },
  errors: ['forbidden', 'not_found', 'property_inactive'],
});

export const UNITS = ['Wh', 'kWh', 'MWh'] as const;

export const MqttTopic = Type.Object(
  {
    id: Id,
    property_id: Id,
    meter_id: Id,
    topic: Type.String(),
    value_field: Nullable(Type.String()),
    time_field: Nullable(Type.String()),
    unit: OneOf(UNITS),
    interval_seconds: Type.Integer(),
    configured_by_user_id: Id,
    created_at: Instant,
    last_reading_timestamp: Nullable(Instant),
    refused_count: Type.Integer({ description: 'Messages that could not be recorded' }),
    last_refused_at: Nullable(Instant),
    last_refusal: Nullable(Type.String({ description: 'Why, and what the message said' })),
  },
  { $id: 'MqttTopic' },
);
export type MqttTopic = Static<typeof MqttTopic>;

const Pointer = (description: string) =>
  Type.String({
    pattern: '^(/([^/~]|~[01])*)+$',
    maxLength: 200,
    description: `A JSON pointer such as /ENERGY/Total: ${description}`,
  });

export const createMqttTopic = contract({
  name: 'createMqttTopic',
  method: 'POST',
  url: '/api/meters/:meter_id/mqtt-topics',
  summary: 'Listen to an MQTT topic for the registers of a meter',
  description:
    "A message is a plain number, or JSON. What it says is recorded as the configuring person's, who must stay an " +
    'editor for it. The broker is in the settings of the server (MQTT_URL, MQTT_PROPERTIES).',
  tag: 'devices that send',
  role: 'editor',
  params: MeterParams,
  body: Closed({
    topic: Type.String({
      minLength: 1,
      maxLength: 500,
      pattern: '^[^+#$\\u0000-\\u001f\\u007f][^+#\\u0000-\\u001f\\u007f]*$',
      description: 'A topic without wildcards; it is of one meter',
      examples: ['house/boiler/energy'],
    }),
    value_field: Type.Optional(Nullable(Pointer('the value in a JSON message; /value if not given'))),
    time_field: Type.Optional(
      Nullable(
        Pointer(
          'when it was read, as epoch seconds, milliseconds or RFC 3339. If not given, that is when the message arrives, ' +
            'and retained messages are passed over',
        ),
      ),
    ),
    unit: Type.Optional(OneOf(UNITS, { default: 'kWh' })),
    interval_seconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400,
        default: 60,
        description: 'A message that follows the reading before sooner than this is passed over',
      }),
    ),
  }),
  response: { 201: MqttTopic },
  errors: ['forbidden', 'not_found', 'topic_taken', 'mqtt_off', 'meter_inactive', 'property_inactive'],
});

export const listMqttTopics = contract({
  name: 'listMqttTopics',
  method: 'GET',
  url: '/api/properties/:property_id/mqtt-topics',
  summary: 'The MQTT topics of a property, with what was refused last',
  tag: 'devices that send',
  role: 'editor',
  params: PropertyParams,
  query: Closed(Page),
  response: { 200: List(MqttTopic) },
  errors: ['forbidden', 'not_found'],
});

export const deleteMqttTopic = contract({
  name: 'deleteMqttTopic',
  method: 'DELETE',
  url: '/api/mqtt-topics/:topic_id',
  summary: 'Listen to a topic no longer',
  tag: 'devices that send',
  role: 'editor',
  params: Type.Object({ topic_id: Id }),
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found'],
});
