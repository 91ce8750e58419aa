/** Makes a property with its meters: several calls, which go on where they stopped when one of them fails. */

import { ApiError } from '../../../client/calls.ts';
import type { Property } from '../../../contract/properties.ts';
import { api } from '../../session.ts';

export interface MeterPlan {
  /** The field of the form that it comes from. */
  field: string;
  name: string;
  /** Digits before the decimal point; null where nobody said. */
  digits: number | null;
}

export interface PropertyPlan {
  display_name: string;
  address: string | null;
  timezone: string;
  currency: string;
  main: MeterPlan;
  submeters: readonly MeterPlan[];
}

/** What is there already of a plan that failed on the way. */
export interface Begun {
  property: Property | null;
  /** Fields of the meters that are done. */
  meters: Set<string>;
}

/** What a call says of `name` is said of the meter's own field. */
function ofField(field: string, error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const { problem } = error;
  if (problem.code === 'name_taken')
    return new ApiError({ ...problem, errors: [{ path: field, message: problem.detail }] });
  const errors = problem.errors?.map((each) => ({
    ...each,
    path: each.path === 'name' ? field : each.path.endsWith('digits') ? `${field}_digits` : each.path,
  }));
  return errors ? new ApiError({ ...problem, errors }) : error;
}

async function makeMeter(property: Property, plan: MeterPlan, is_main: boolean): Promise<void> {
  const { name, digits } = plan;
  try {
    if (!is_main) {
      const device = digits === null ? {} : { device: { digits } };
      await api.createSubmeter({ body: { property_id: property.id, name, ...device } });
      return;
    }
    const meter_id = property.main_meter_id!;
    await api.updateMeter({ meter_id, body: { name } });
    if (digits !== null) await api.describeDevice({ meter_id, body: { digits } });
  } catch (error) {
    throw ofField(plan.field, error);
  }
}

/** @param begun is filled in as the work goes on: handed in again, nothing is made twice */
export async function createAll(plan: PropertyPlan, begun: Begun): Promise<Property> {
  const { main, submeters, ...body } = plan;
  if (begun.property) {
    begun.property = await api.updateProperty({ property_id: begun.property.id, body });
  } else {
    begun.property = await api.createProperty({ body });
  }
  for (const meter of [main, ...submeters]) {
    if (begun.meters.has(meter.field)) continue;
    await makeMeter(begun.property, meter, meter === main);
    begun.meters.add(meter.field);
  }
  return begun.property;
}
