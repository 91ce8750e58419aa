import { describe, expect, test } from 'vitest';
import type { Meter } from '../../../contract/meters.ts';
import { amountsOf, type Bucket, partsOf, scaleOf, sumOf } from './parts.ts';

function meter(id: number, name: string, more: Partial<Meter> = {}): Meter {
  return {
    id,
    property_id: 1,
    name,
    location: null,
    meter_type: 'sub_meter',
    sub_meter_kind: 'physical',
    parent_meter_id: 1,
    formula: null,
    plausibility_factor: null,
    is_active: true,
    created_at: '2026-01-01T00:00:00Z',
    ...more,
  };
}
const MAIN = meter(1, 'main', { meter_type: 'main_meter', sub_meter_kind: null, parent_meter_id: null });
const METERS = [
  MAIN,
  meter(2, 'flat'),
  meter(3, 'kitchen', { parent_meter_id: 2 }),
  meter(4, 'sauna'),
  meter(5, 'sum', { sub_meter_kind: 'virtual' }),
];

function bucket(
  more: Partial<Bucket> = {},
  used: Record<number, [known: string | null, rest: string | null]> = {},
): Bucket {
  return {
    start_timestamp: '2026-01-01T00:00:00Z',
    end_timestamp: '2026-02-01T00:00:00Z',
    main_meter_consumption: '100',
    total_submetered_consumption: '60',
    unmetered_consumption: '40',
    imbalance: null,
    unmetered_uncertainty: '0',
    known_consumption: '100',
    coverage: 1,
    estimated: false,
    submeters: Object.entries(used).map(([id, [known, rest]]) => ({
      meter_id: Number(id),
      name: '',
      consumption: known,
      known_consumption: known,
      coverage: known === null ? 0 : 1,
      estimated: false,
      unmetered_consumption: rest,
    })),
    ...more,
  };
}
const USED = { 2: ['50', '20'], 3: ['30', null], 4: ['10', null], 5: ['60', null] } satisfies Record<
  number,
  [string | null, string | null]
>;

describe('parts', () => {
  test('are leaves and rests, never a meter beside those below it, and no virtual one', () => {
    expect(partsOf(METERS).map(({ id, is_rest }) => [id, is_rest])).toEqual([
      ['3', false],
      ['2', true],
      ['4', false],
      ['unmetered', true],
    ]);
  });

  test('a tenant without the main meter has no unmetered rest', () => {
    expect(partsOf([meter(4, 'sauna', { parent_meter_id: null })]).map(({ id }) => id)).toEqual(['4']);
  });
});

describe('amounts', () => {
  const parts = partsOf(METERS);
  test('add up to what the main meter measured', () => {
    const amounts = amountsOf(bucket({}, USED), parts);
    expect(amounts).toMatchObject({ total: 100, parts: [30, 20, 10, 40], unattributed: 0, coverage: 1 });
  });

  test('what is known of the main meter but not whose it is, is said so', () => {
    const amounts = amountsOf(bucket({ unmetered_consumption: null }, { ...USED, 4: [null, null] }), parts);
    expect(amounts).toMatchObject({ total: 100, parts: [30, 20, null, null], unattributed: 50 });
  });

  test('nothing known is nothing, not zero', () => {
    const nothing = {
      main_meter_consumption: null,
      unmetered_consumption: null,
      known_consumption: null,
      coverage: 0,
    };
    expect(amountsOf(bucket(nothing, {}), parts)).toMatchObject({
      total: null,
      parts: [null, null, null, null],
    });
  });

  test('without the main meter in sight the total is that of the meters in sight', () => {
    const hidden = {
      main_meter_consumption: null,
      unmetered_consumption: null,
      known_consumption: null,
      coverage: null,
    };
    const [sauna] = partsOf([meter(4, 'sauna', { parent_meter_id: null })]);
    expect(amountsOf(bucket(hidden, { 4: ['10', null] }), [sauna!])).toMatchObject({
      total: 10,
      coverage: 1,
    });
  });

  test('are summed as far as they are known', () => {
    const one = amountsOf(bucket({}, USED), parts);
    const other = amountsOf(bucket({ estimated: true, coverage: 0.5 }, { ...USED, 4: [null, null] }), parts);
    expect(sumOf([one, other])).toMatchObject({
      total: 200,
      parts: [60, 40, 10, 80],
      coverage: 0.5,
      estimated: true,
    });
  });
});

test.each([
  [0, 1, 2],
  [42.6, 50, 6],
  [990, 1000, 6],
  [7, 8, 5],
  [0.004, 0.004, 5],
])('the axis for %s ends at %s, with %s lines', (highest, top, lines) => {
  const scale = scaleOf(highest);
  expect(scale.top).toBeCloseTo(top, 9);
  expect(scale.lines).toHaveLength(lines);
});
