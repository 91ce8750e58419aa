/** What flows from the main meter into the submeters, as a tree of amounts. */
import type { PropertyConsumption } from '../../../contract/consumption.ts';
import type { Meter } from '../../../contract/meters.ts';
import { words } from '../../languages/words.ts';
import { type Branch, physicalTree } from '../../tree.ts';
import type { Stream } from './flow.tsx';
import { say } from './messages.ts';
import type { Part } from './parts.ts';

export function partName({ meter, is_rest }: Part): string {
  if (meter === null) return words('unmetered');
  return is_rest ? say('rest_of', { name: meter.name }) : meter.name;
}

/** What the streams below do not carry of the one above. */
function rest(id: string, name: string, kwh: number, colour: string): Stream[] {
  return kwh > 0 ? [{ id, name, kwh, colour, below: [] }] : [];
}

/** @returns null where nothing is known of the main meter, or it is out of sight */
export function streamsOf(
  meters: readonly Meter[],
  parts: readonly Part[],
  consumption: PropertyConsumption,
): Stream | null {
  const [top] = physicalTree(meters);
  if (top?.meter.meter_type !== 'main_meter' || consumption.known_consumption === null) return null;
  const used = new Map(consumption.submeters.map((each) => [each.meter_id, each]));
  const colourOf = (meter: Meter) =>
    parts.find((part) => part.meter?.id === meter.id)?.colour ?? 'var(--rest)';
  const stream = ({ meter, below }: Branch): Stream => {
    const kwh = Number(used.get(meter.id)?.known_consumption ?? 0);
    const children = below.map(stream).filter((each) => each.kwh > 0);
    const left = kwh - children.reduce((sum, each) => sum + each.kwh, 0);
    const colour = colourOf(meter);
    const own =
      children.length > 0 ? rest(`${meter.id}-rest`, say('rest_of', { name: meter.name }), left, colour) : [];
    return { id: `${meter.id}`, name: meter.name, kwh, colour, below: [...children, ...own] };
  };
  const kwh = Number(consumption.known_consumption);
  const children = top.below.map(stream).filter((each) => each.kwh > 0);
  const left = kwh - children.reduce((sum, each) => sum + each.kwh, 0);
  const is_known = consumption.unmetered_consumption !== null;
  const unmetered = rest(
    'unmetered',
    is_known ? words('unmetered') : say('unattributed'),
    left,
    'var(--rest)',
  );
  return { id: 'main', name: top.meter.name, kwh, colour: 'var(--main)', below: [...children, ...unmetered] };
}
