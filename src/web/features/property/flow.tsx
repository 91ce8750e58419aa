import { formatKwh, formatPercent } from '../../languages/format.ts';
import { useWidth } from '../../ui/use-width.ts';

/** A meter, or what is left of one, with what it is made of. */
export interface Stream {
  id: string;
  name: string;
  kwh: number;
  colour: string;
  below: readonly Stream[];
}

interface Placed {
  stream: Stream;
  depth: number;
  /** Its height, and the middle of it, in pixels. */
  height: number;
  middle: number;
  below: Placed[];
}

/** Two lines of text fit beside the smallest stream. */
const PITCH = 44;
const NODE = 10;
const HEIGHT = 240;

function depthOf(stream: Stream): number {
  return stream.below.length === 0 ? 0 : 1 + Math.max(...stream.below.map(depthOf));
}

/** A tree from left to right: leaves one below the other, each with room for its words; what is above them in between. */
function place(root: Stream): { placed: Placed; height: number } {
  const scale = HEIGHT / (root.kwh || 1);
  let y = 0;
  const visit = (stream: Stream, depth: number): Placed => {
    const below = stream.below.map((each) => visit(each, depth + 1));
    const height = Math.max(2, stream.kwh * scale);
    if (below.length > 0) {
      const middle = (below[0]!.middle + below.at(-1)!.middle) / 2;
      return { stream, depth, height, middle, below };
    }
    const slot = Math.max(PITCH, height + 8);
    y += slot;
    return { stream, depth, height, middle: y - slot / 2, below };
  };
  const placed = visit(root, 0);
  const top = placed.middle - placed.height / 2;
  if (top < 0) lower(placed, -top);
  return { placed, height: Math.max(y + Math.max(0, -top), placed.middle + placed.height / 2) };
}

function lower(placed: Placed, by: number): void {
  placed.middle += by;
  for (const each of placed.below) lower(each, by);
}

/** As many letters as fit, about. */
function shorten(text: string, width: number): string {
  const letters = Math.max(4, Math.floor(width / 7.6));
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}

function Node({
  placed,
  columnAt,
  column,
  total,
}: {
  placed: Placed;
  columnAt: (depth: number) => number;
  column: number;
  total: number;
}) {
  const { stream, height, middle, depth, below } = placed;
  const x = columnAt(depth);
  let from = middle - height / 2;
  const [start, end] = [x + NODE, columnAt(depth + 1)];
  const bend = (start + end) / 2;
  return (
    <g>
      {below.map((each) => {
        const thick = each.stream.kwh * (height / (stream.kwh || 1));
        const [y, to] = [from, each.middle - each.height / 2];
        from += thick;
        const upper = `M${start} ${y}C${bend} ${y} ${bend} ${to} ${end} ${to}`;
        const lower = `V${to + each.height}C${bend} ${to + each.height} ${bend} ${y + thick} ${start} ${y + thick}Z`;
        return <path key={each.stream.id} d={upper + lower} fill={each.stream.colour} opacity={0.35} />;
      })}
      <rect x={x} y={middle - height / 2} width={NODE} height={height} rx={2} fill={stream.colour}>
        <title>{`${stream.name}: ${formatKwh(stream.kwh)}`}</title>
      </rect>
      {depth > 0 && (
        <text
          x={x + NODE + 8}
          fontSize="13"
          fill="var(--ink)"
          className="[paint-order:stroke]"
          stroke="var(--card)"
          strokeWidth="3"
          strokeLinejoin="round"
        >
          <tspan y={middle - 3} fontWeight="600">
            {shorten(stream.name, column - NODE - 16)}
          </tspan>
          <tspan x={x + NODE + 8} y={middle + 13}>
            {`${formatKwh(stream.kwh)} · ${formatPercent(total > 0 ? stream.kwh / total : 0)}`}
          </tspan>
        </text>
      )}
      {below.map((each) => (
        <Node key={each.stream.id} placed={each} columnAt={columnAt} column={column} total={total} />
      ))}
    </g>
  );
}

/** From the main meter to the submeters and the unmetered rest. */
export function Flow({ root, label }: { root: Stream; label: string }) {
  const [ref, width] = useWidth();
  const { placed, height } = place(root);
  const depth = depthOf(root);
  // Words stand to the right of the last column, as wide as a column or what the longest needs.
  const words = Math.min(220, width * 0.5);
  const column = depth === 0 ? width : (width - words) / depth;
  const columnAt = (at: number) => at * column;
  return (
    <div ref={ref} className="min-w-0 overflow-hidden" style={{ minHeight: height }}>
      {width > 0 && (
        <svg role="img" aria-label={label} width={width} height={height} className="block">
          <Node placed={placed} columnAt={columnAt} column={depth > 1 ? column : words} total={root.kwh} />
        </svg>
      )}
    </div>
  );
}
