import { formatKwh } from '../../languages/format.ts';
import { ScrollSideways } from '../../ui/scroll.tsx';
import { say } from './messages.ts';

export interface Cell {
  row: number;
  column: number;
  /** Null: not known. */
  kwh: number | null;
  title: string;
}

interface Props {
  cells: readonly Cell[];
  /** Beside the rows, above the columns; empty where there is no room for one. */
  rows: readonly string[];
  columns: readonly string[];
  label: string;
}

const SIZE = 16;
const LEFT = 34;
const TOP = 18;

/** A calendar in which the darker cell used more. Its values stand in the table of the same bars. */
export function HeatMap({ cells, rows, columns, label }: Props) {
  const highest = Math.max(0, ...cells.map(({ kwh }) => kwh ?? 0)) || 1;
  const [width, height] = [LEFT + columns.length * SIZE, TOP + rows.length * SIZE];
  return (
    <figure>
      <ScrollSideways label={label}>
        <svg role="img" aria-label={label} width={width} height={height} className="block text-quiet">
          {columns.map((name, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a column is its place
            <text key={i} x={LEFT + i * SIZE} y={12} fontSize="11" fill="currentColor">
              {name}
            </text>
          ))}
          {rows.map((name, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place
            <text key={i} x={0} y={TOP + i * SIZE + 12} fontSize="11" fill="currentColor">
              {name}
            </text>
          ))}
          {cells.map(({ row, column, kwh, title }) => (
            <rect
              key={title}
              x={LEFT + column * SIZE}
              y={TOP + row * SIZE}
              width={SIZE - 2}
              height={SIZE - 2}
              rx={2}
              fill={kwh === null ? 'none' : 'var(--accent)'}
              fillOpacity={kwh === null ? 1 : 0.08 + 0.92 * (kwh / highest)}
              stroke={kwh === null ? 'var(--line)' : 'none'}
            >
              <title>{title}</title>
            </rect>
          ))}
        </svg>
      </ScrollSideways>
      <figcaption className="pt-2 text-sm text-quiet">
        {say('map_of', { kwh: formatKwh(highest) })}
      </figcaption>
    </figure>
  );
}
