import type { ImportReport } from '../../contract/imports.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Findings } from './findings.ts';
import type { Received } from './receive.ts';
import type { Imported, Outcome } from './record.ts';

function presentMeter(outcome: Outcome): ImportReport['meters'][number] {
  const { target, meter, first_energy_wh, last_energy_wh, first_interval_wh } = outcome;
  const { recorded, unchanged, repeated, conflicting, flagged } = outcome;
  return {
    // A dry run has no id for what it would create.
    meter_id: meter.id || null,
    name: meter.name,
    names_in_file: target.names_in_file,
    created: target.meter === null,
    ...{ recorded, unchanged, repeated, conflicting, flagged },
    first_reading_timestamp: formatInstant(target.first_ms),
    last_reading_timestamp: formatInstant(target.last_ms),
    energy:
      first_energy_wh === null || last_energy_wh === null
        ? null
        : formatKwh(last_energy_wh - first_energy_wh + first_interval_wh),
  };
}

export function presentReport(
  property_id: number,
  findings: Findings,
  { plan, bytes }: Received,
  { batch_id, outcomes }: Imported,
): ImportReport {
  const { is_dry_run, errors, refused, conflicts, conflicting } = findings;
  const sum = (field: 'recorded' | 'unchanged' | 'repeated') =>
    outcomes.reduce((total, outcome) => total + outcome[field], 0);
  return {
    property_id,
    dry_run: is_dry_run,
    importable: refused === 0 && conflicting === 0,
    batch_id,
    recorded: sum('recorded'),
    unchanged: sum('unchanged'),
    repeated: sum('repeated'),
    ...{ conflicting, refused, bytes },
    plan: { ...plan },
    ...{ conflicts, errors },
    meters: outcomes.map(presentMeter),
  };
}
