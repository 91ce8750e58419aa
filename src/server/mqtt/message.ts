/** What a message says: a register, and perhaps when it was read. */
import { parseDeviceTime, parseRegister, type Unit } from '../../core/device-input.ts';
import type { Parsed } from '../../core/units.ts';

/** A reading takes a few bytes; what is longer is something else. */
const MAX_BYTES = 65_536;
const SHOWN = 200;

/** Where a topic's messages have what. */
export interface Form {
  /** JSON pointers (RFC 6901); null: a plain number, or /value. */
  value_field: string | null;
  /** Null: the message says no time. */
  time_field: string | null;
  unit: Unit;
}

export interface Said {
  value_wh: number;
  /** Epoch milliseconds; null where the message says no time. */
  reading_timestamp: number | null;
}

function refuse(message: string): { ok: false; message: string } {
  return { ok: false, message };
}

/** What a JSON pointer points to; undefined for nothing. */
function at(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (value, step) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, step)
          ? (value as Record<string, unknown>)[step]
          : undefined,
      document,
    );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The beginning of a message, for people who look for what is wrong. */
export function excerpt(payload: Uint8Array): string {
  const text = new TextDecoder().decode(payload.subarray(0, SHOWN));
  return JSON.stringify(text) + (payload.length > SHOWN ? ' …' : '');
}

/** @param now_ms epoch milliseconds, to find clocks that are ahead */
export function readMessage(payload: Uint8Array, form: Form, now_ms: number): Parsed<Said> {
  if (payload.length > MAX_BYTES) return refuse(`The message has more than ${MAX_BYTES} bytes.`);
  const text = new TextDecoder().decode(payload).trim();
  const json = parseJson(text);
  const is_object = typeof json === 'object' && json !== null;
  const pointer = form.value_field ?? '/value';
  const said = is_object ? at(json, pointer) : form.value_field === null ? text : undefined;
  if (said === undefined) return refuse(`The message has no field ${pointer}.`);
  const value = parseRegister(said, form.unit);
  if (!value.ok) return refuse(`The value ${value.message}.`);
  if (form.time_field === null)
    return { ok: true, value: { value_wh: value.value, reading_timestamp: null } };
  const time = at(json, form.time_field);
  if (time === undefined) return refuse(`The message has no field ${form.time_field}.`);
  const instant = parseDeviceTime(time, now_ms);
  if (!instant.ok) return refuse(`The time ${instant.message}.`);
  return { ok: true, value: { value_wh: value.value, reading_timestamp: instant.value } };
}
