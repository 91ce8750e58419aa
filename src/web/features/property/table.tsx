import { formatNumber } from '../../languages/format.ts';
import { words } from '../../languages/words.ts';
import { ScrollSideways } from '../../ui/scroll.tsx';
import type { Bar } from './bars.tsx';
import { say } from './messages.ts';
import { type Amounts, type Part, sumOf } from './parts.ts';
import { partName } from './streams.ts';

interface Props {
  bars: readonly Bar[];
  parts: readonly Part[];
  before: readonly (number | null)[];
  /** What it is about, for who hears it. */
  caption: string;
  onPick: (index: number) => void;
}

interface ValueProps {
  kwh: number | null;
  decimals: number;
  part_known?: boolean;
  estimated?: boolean;
}

/** A value as it is known: not at all, in part, or estimated. */
function Value({ kwh, decimals, part_known = false, estimated = false }: ValueProps) {
  if (kwh === null) return <span className="text-quiet">–</span>;
  return `${part_known ? '≥ ' : ''}${estimated ? '≈ ' : ''}${formatNumber(kwh, decimals)}`;
}

const CELL = 'px-3 py-1.5 text-right whitespace-nowrap tabular-nums';

interface RowProps {
  amounts: Amounts;
  was: number | null;
  compares: boolean;
  decimals: number;
}

function Row({ amounts, was, compares, decimals }: RowProps) {
  return (
    <>
      <td className={`${CELL} font-semibold`}>
        <Value
          kwh={amounts.total}
          decimals={decimals}
          part_known={amounts.coverage < 1}
          estimated={amounts.estimated}
        />
      </td>
      {compares && (
        <td className={`${CELL} text-quiet`}>
          <Value kwh={was} decimals={decimals} />
        </td>
      )}
      {amounts.parts.map((kwh, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the columns are the parts, in their order
        <td key={i} className={CELL}>
          <Value kwh={kwh} decimals={decimals} />
        </td>
      ))}
    </>
  );
}

/** One number of decimals for a whole table: as many as its bars can be told apart with. */
function decimalsOf(bars: readonly Amounts[]): number {
  const highest = Math.max(0, ...bars.map(({ total }) => total ?? 0));
  if (highest >= 1000) return 0;
  return highest >= 10 ? 1 : 3;
}

/** Every value of the bars, in kWh; each row opens what is behind its bar. */
export function ValueTable({ bars, parts, before, caption, onPick }: Props) {
  const compares = before.length > 0;
  const decimals = decimalsOf(bars);
  const was = before.reduce<number | null>((sum, each) => (each === null ? sum : (sum ?? 0) + each), null);
  return (
    <ScrollSideways label={caption} className="rounded-xl border border-line">
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead className="border-b border-line bg-raised">
          <tr>
            <th scope="col" className="px-3 py-2 text-left font-medium">
              {say('period')}
            </th>
            <th scope="col" className="px-3 py-2 text-right font-medium whitespace-nowrap">
              {words('total')}, kWh
            </th>
            {compares && (
              <th scope="col" className="px-3 py-2 text-right font-medium">
                {say('before')}
              </th>
            )}
            {parts.map((part) => (
              <th key={part.id} scope="col" className="px-3 py-2 text-right font-medium whitespace-nowrap">
                <span
                  aria-hidden="true"
                  className="mr-1.5 inline-block size-2.5 rounded-sm"
                  style={{ background: part.colour }}
                />
                {partName(part)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {bars.map((bar, i) => (
            <tr key={bar.title} className="border-b border-line last:border-0">
              <th scope="row" className="px-1 text-left font-normal whitespace-nowrap">
                <button
                  type="button"
                  className="min-h-11 rounded-lg px-2 text-accent underline underline-offset-4"
                  onClick={() => onPick(i)}
                >
                  {bar.title}
                </button>
              </th>
              <Row amounts={bar} was={before[i] ?? null} compares={compares} decimals={decimals} />
            </tr>
          ))}
          <tr className="border-t-2 border-edge font-semibold">
            <th scope="row" className="px-3 py-3 text-left">
              {words('total')}
            </th>
            <Row amounts={sumOf(bars)} was={was} compares={compares} decimals={decimals} />
          </tr>
        </tbody>
      </table>
    </ScrollSideways>
  );
}
