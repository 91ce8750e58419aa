import { useId } from 'react';
import { formatNumber } from '../../languages/format.ts';
import { useWidth } from '../../ui/use-width.ts';
import { type Amounts, type Part, scaleOf } from './parts.ts';

export interface Bar extends Amounts {
  /** Below the axis. */
  label: string;
  /** Shown beside the pointer: what the bar is, in words. */
  title: string;
}

interface Props {
  bars: readonly Bar[];
  parts: readonly Part[];
  /** What the same bars were in the period compared with; null where not known. */
  before: readonly (number | null)[];
  /** What the picture shows, for who cannot see it. */
  label: string;
  onPick: (index: number) => void;
}

const HEIGHT = 260;
const EDGE = { top: 8, right: 4, bottom: 26, left: 46 };
const PLOT = HEIGHT - EDGE.top - EDGE.bottom;
/** About as wide as a label of the axis with its air. */
const LABEL_WIDTH = 52;

interface StackProps {
  bar: Bar;
  parts: readonly Part[];
  x: number;
  width: number;
  /** kWh → pixels. */
  scale: number;
  hatch: string;
  dots: string;
}

/** One bar: its parts from below, what is nobody's in dots, all of it hatched where it is estimated. */
function Stack({ bar, parts, x, width, scale, hatch, dots }: StackProps) {
  let below = 0;
  const place = (amount: number) => {
    below += amount;
    return { x, width, y: EDGE.top + PLOT - below * scale, height: Math.max(0, amount * scale) };
  };
  const shapes = parts.map((part, i) => {
    const amount = bar.parts[i] ?? 0;
    return amount > 0 ? <rect key={part.id} {...place(amount)} fill={part.colour} /> : null;
  });
  const nobodys =
    bar.unattributed > 0 ? (
      <rect {...place(bar.unattributed)} fill={`url(#${dots})`} stroke="var(--edge)" />
    ) : null;
  const height = below * scale;
  return (
    <>
      {bar.coverage < 1 && (
        <rect
          x={x}
          width={width}
          y={EDGE.top}
          height={Math.max(0, PLOT - height)}
          fill={`url(#${dots})`}
          opacity={0.6}
        />
      )}
      {shapes}
      {nobodys}
      {bar.estimated && height > 0 && (
        <rect x={x} width={width} y={EDGE.top + PLOT - height} height={height} fill={`url(#${hatch})`} />
      )}
    </>
  );
}

/** Bars side by side, each made of the meters' parts. All of it stands in the table too, which has the buttons. */
export function Bars({ bars, parts, before, label, onPick }: Props) {
  const [ref, width] = useWidth();
  const id = useId();
  const [hatch, dots] = [`${id}-hatch`, `${id}-dots`];
  const heights = bars.map(({ parts: amounts, unattributed }) =>
    amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), unattributed),
  );
  const { top, lines } = scaleOf(Math.max(0, ...heights, ...before.map((each) => each ?? 0)));
  const scale = PLOT / top;
  const step = Math.max(0, width - EDGE.left - EDGE.right) / bars.length;
  const bar_width = Math.max(1, step * (step > 12 ? 0.72 : 0.86));
  const every = Math.max(1, Math.ceil(LABEL_WIDTH / step));
  const decimals = top < 4 ? 2 : top < 10 ? 1 : 0;
  return (
    <div ref={ref} className="min-w-0 overflow-hidden" style={{ height: HEIGHT }}>
      {width > 0 && (
        <svg role="img" aria-label={label} width={width} height={HEIGHT} className="block text-quiet">
          <defs>
            <pattern
              id={hatch}
              width="6"
              height="6"
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <rect width="2" height="6" fill="var(--card)" opacity="0.55" />
            </pattern>
            <pattern id={dots} width="6" height="6" patternUnits="userSpaceOnUse">
              <circle cx="2" cy="2" r="1" fill="var(--edge)" />
            </pattern>
          </defs>
          {lines.map((line) => {
            const y = EDGE.top + PLOT - line * scale;
            return (
              <g key={line}>
                <line x1={EDGE.left} x2={width - EDGE.right} y1={y} y2={y} stroke="var(--line)" />
                <text x={EDGE.left - 6} y={y + 4} textAnchor="end" fontSize="12" fill="currentColor">
                  {formatNumber(line, decimals)}
                </text>
              </g>
            );
          })}
          {bars.map((bar, i) => {
            const x = EDGE.left + i * step + (step - bar_width) / 2;
            const was = before[i];
            return (
              // biome-ignore lint/a11y/noStaticElementInteractions: the table has a button for the same
              <g key={bar.title} className="cursor-pointer hover:opacity-85" onClick={() => onPick(i)}>
                <title>{bar.title}</title>
                <rect
                  x={EDGE.left + i * step}
                  y={EDGE.top}
                  width={step}
                  height={PLOT + EDGE.bottom}
                  fill="transparent"
                />
                <Stack
                  bar={bar}
                  parts={parts}
                  x={x}
                  width={bar_width}
                  scale={scale}
                  hatch={hatch}
                  dots={dots}
                />
                {was != null && (
                  <line
                    x1={x - 1}
                    x2={x + bar_width + 1}
                    y1={EDGE.top + PLOT - was * scale}
                    y2={EDGE.top + PLOT - was * scale}
                    stroke="var(--ink)"
                    strokeWidth="2.5"
                  />
                )}
                {i % every === 0 && (
                  <text
                    x={x + bar_width / 2}
                    y={HEIGHT - 8}
                    textAnchor="middle"
                    fontSize="12"
                    fill="currentColor"
                  >
                    {bar.label}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}
