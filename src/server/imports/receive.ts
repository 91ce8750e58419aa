/** Reads an upload as it comes in, and puts its readings down in order of meter and time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ImportProgress } from '../../contract/imports.ts';
import { MAX_AHEAD_MS } from '../../core/time.ts';
import { DomainError } from '../errors.ts';
import type { Findings } from './findings.ts';
import type { Found, FoundReading, Place, Plan, Wishes } from './formats/format.ts';
import { open } from './formats/open.ts';
import type { Staging } from './store.ts';
import type { Target, Targets } from './targets.ts';

const MIB = 1024 * 1024;

/** An upload, and how it is to be read. */
export interface Upload {
  bytes: AsyncIterable<Uint8Array>;
  /** Null where the request does not say. */
  size: number | null;
  wishes: Wishes;
  /** Of the property. */
  timezone: string;
  max_bytes: number;
  progress: (progress: ImportProgress) => void;
}

export interface Received {
  plan: Plan;
  bytes: number;
  readings: number;
}

class Receiving {
  readonly #upload: Upload;
  readonly #staging: Staging;
  readonly #targets: Targets;
  readonly #findings: Findings;
  readonly #latest_ms: number;
  #reported = 0;
  bytes = 0;
  readings = 0;

  constructor(
    upload: Upload,
    into: { staging: Staging; targets: Targets; findings: Findings },
    now_ms: number,
  ) {
    this.#upload = upload;
    this.#staging = into.staging;
    this.#targets = into.targets;
    this.#findings = into.findings;
    this.#latest_ms = now_ms + MAX_AHEAD_MS;
  }

  async *counted(): AsyncGenerator<Uint8Array> {
    const { bytes, max_bytes, size, progress } = this.#upload;
    for await (const chunk of bytes) {
      this.bytes += chunk.length;
      if (this.bytes > max_bytes) {
        const detail = `An upload may have ${max_bytes / MIB} MiB (MAX_IMPORT_MIB): split the file.`;
        throw new DomainError('body_too_large', detail);
      }
      if (this.bytes - this.#reported >= MIB) {
        this.#reported = this.bytes;
        progress({ phase: 'receiving', bytes: this.bytes, readings: this.readings, total: size });
      }
      yield chunk;
    }
  }

  /** The names in the heading are known before any reading: a wrong one is told at once. */
  checkHeading({ layout, meters, heading_line }: Plan): void {
    if (layout !== 'wide') return;
    const heading: Place = { line: heading_line ?? 1, column: null };
    const named = new Set<Target>();
    for (const name of meters) {
      const target = this.#targets.find(name, heading);
      if (target && named.has(target)) this.#findings.refuse(heading, `heads two columns ${target.name}`);
      else if (target) named.add(target);
    }
    this.#findings.throwRefused();
    if (!this.#findings.is_dry_run) this.#targets.refuseInactive();
  }

  take({ readings, errors }: Found, { columns }: Plan): void {
    for (const { message, ...place } of errors) this.#findings.refuse(place, message);
    const taken: FoundReading[] = [];
    const numbers: number[] = [];
    for (const reading of readings) {
      const { line, column, reading_timestamp } = reading;
      const target = this.#targets.find(reading.meter, { line, column: columns.meter ?? column });
      if (reading_timestamp > this.#latest_ms) {
        const message = 'lies in the future: a reading is recorded once it has been read';
        this.#findings.refuse({ line, column: columns.timestamp ?? columns.date ?? column }, message);
        continue;
      }
      if (!target) continue;
      target.count += 1;
      target.first_ms = Math.min(target.first_ms, reading_timestamp);
      target.last_ms = Math.max(target.last_ms, reading_timestamp);
      taken.push(reading);
      numbers.push(target.number);
    }
    this.#staging.add(taken, numbers);
    this.readings += taken.length;
  }
}

/**
 * @param into what the readings, their meters and what is wrong with them go into
 * @throws validation_failed, meter_inactive: everything that is wrong in the file itself, but for a dry run; and what
 * the format throws
 */
export async function receive(
  upload: Upload,
  into: { staging: Staging; targets: Targets; findings: Findings },
  now_ms: number,
): Promise<Received> {
  const receiving = new Receiving(upload, into, now_ms);
  const { plan, readings, close } = await open(receiving.counted(), upload.wishes, upload.timezone);
  try {
    receiving.checkHeading(plan);
    for await (const found of readings) {
      receiving.take(found, plan);
      await nextTurn();
    }
  } finally {
    await close?.();
  }
  into.findings.throwRefused();
  into.targets.refuseInactive();
  return { plan, bytes: receiving.bytes, readings: receiving.readings };
}
