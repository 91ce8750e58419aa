/** Which meters an upload means by the names it has. */
import { fold, tidy } from '../../core/text.ts';
import { DomainError } from '../errors.ts';
import type { MeterRow } from '../meters/store.ts';
import type { Findings } from './findings.ts';
import type { Place } from './formats/format.ts';

const MAX_NAMES = 10_000;
const MAX_NAME_CHARACTERS = 200;
/** Of an inactive meter: the rest is counted. */
const MAX_LINES_NAMED = 10;

/** A meter that an upload has readings of. */
export interface Target {
  number: number;
  /** Null: there is none of this name yet. */
  meter: MeterRow | null;
  name: string;
  names_in_file: string[];
  count: number;
  first_ms: number;
  last_ms: number;
}

export interface Naming {
  /** Those of the property that the caller sees. */
  meters: readonly MeterRow[];
  /** The file's names → names or ids of meters. */
  meter_names: Readonly<Record<string, string | number>>;
  create_missing: boolean;
}

function shortened(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

export class Targets {
  readonly all: Target[] = [];
  readonly #naming: Naming;
  readonly #findings: Findings;
  readonly #active: Map<string, MeterRow>;
  readonly #retired: Map<string, MeterRow>;
  readonly #renamed: Map<string, string | number>;
  /** By the names in the file; null for one that was refused. */
  readonly #known = new Map<string, Target | MeterRow | null>();
  readonly #of_meter = new Map<number | string, Target>();
  readonly #inactive = new Map<MeterRow, { lines: number[]; count: number; place: Place }>();

  constructor(naming: Naming, findings: Findings) {
    this.#naming = naming;
    this.#findings = findings;
    const by_name = (meters: readonly MeterRow[]) =>
      new Map(meters.map((meter) => [meter.name_folded, meter]));
    this.#active = by_name(naming.meters.filter((meter) => meter.is_active));
    this.#retired = by_name(naming.meters.filter((meter) => !meter.is_active));
    this.#renamed = new Map(
      Object.entries(naming.meter_names).map(([name, meter]) => [fold(tidy(name)), meter]),
    );
  }

  /** The meter of a name in the file; null where it takes no readings, which is remembered or refused. */
  find(name: string, place: Place): Target | null {
    let known = this.#known.get(name);
    if (known === undefined) {
      if (this.#known.size >= MAX_NAMES) {
        throw new DomainError(
          'body_too_large',
          `An import names at most ${MAX_NAMES} meters: split the file.`,
        );
      }
      known = this.#resolve(name, place);
      this.#known.set(name, known);
    }
    if (known === null || 'count' in known) return known;
    const found = this.#inactive.get(known) ?? { lines: [], count: 0, place };
    this.#inactive.set(known, found);
    found.count += 1;
    if (found.lines.length < MAX_LINES_NAMED) found.lines.push(place.line);
    return null;
  }

  #resolve(name: string, place: Place): Target | MeterRow | null {
    const refuse = (message: string) => {
      this.#findings.refuse(place, message);
      return null;
    };
    const renamed = this.#renamed.get(fold(tidy(name)));
    const wanted = renamed ?? name;
    const folded = fold(tidy(String(wanted)));
    if (folded === '') return refuse('names no meter: say whose readings these are with meter=<name>');
    const by_id =
      renamed === undefined ? undefined : this.#naming.meters.find(({ id }) => String(id) === folded);
    const meter = this.#active.get(folded) ?? by_id ?? this.#retired.get(folded);
    if (!meter) {
      if (renamed === undefined && this.#naming.create_missing) return this.#missing(name, folded, refuse);
      const names = [...this.#active.values()].map((each) => each.name).join(', ');
      return refuse(
        `names ${shortened(String(wanted))}, which is no active meter of this property: ${names}`,
      );
    }
    if (meter.sub_meter_kind === 'virtual')
      return refuse(`names ${meter.name}, a virtual meter: it is computed, not read`);
    return meter.is_active ? this.#target(meter.id, meter, meter.name, name) : meter;
  }

  #missing(name: string, folded: string, refuse: (message: string) => null): Target | null {
    const is_fine = name.isWellFormed() && !/\p{Cc}/u.test(tidy(name)) && name.length <= MAX_NAME_CHARACTERS;
    if (is_fine) return this.#target(folded, null, tidy(name), name);
    return refuse(
      `names ${shortened(name)}: a meter's name has at most ${MAX_NAME_CHARACTERS} characters, none of them control characters`,
    );
  }

  #target(key: number | string, meter: MeterRow | null, name: string, name_in_file: string): Target {
    let target = this.#of_meter.get(key);
    if (!target) {
      const [first_ms, last_ms] = [Infinity, -Infinity];
      target = { number: this.all.length, meter, name, names_in_file: [], count: 0, first_ms, last_ms };
      this.all.push(target);
      this.#of_meter.set(key, target);
    }
    target.names_in_file.push(name_in_file);
    return target;
  }

  /** Throws meter_inactive where the file has readings of such meters, saying where; a dry run refuses them. */
  refuseInactive(): void {
    if (this.#inactive.size === 0) return;
    const named = [...this.#inactive].map(([{ name }, { lines, count, place }]) => {
      const more = count > lines.length ? ` and ${count - lines.length} more` : '';
      const said = `${name} (line ${lines.join(', ')}${more})`;
      if (this.#findings.is_dry_run)
        this.#findings.refuse(
          place,
          `names an inactive meter, which takes no readings: ${said}. Restore it first`,
        );
      return said;
    });
    if (this.#findings.is_dry_run) return;
    const detail = `Inactive meters take no readings: ${named.join('; ')}. Restore them first, or leave their lines out.`;
    throw new DomainError('meter_inactive', detail);
  }
}
