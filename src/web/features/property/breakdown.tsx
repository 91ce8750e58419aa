import { useQuery } from '@tanstack/react-query';
import type { PropertyConsumption } from '../../../contract/consumption.ts';
import type { Meter } from '../../../contract/meters.ts';
import { formatKwh, formatPercent } from '../../languages/format.ts';
import { words } from '../../languages/words.ts';
import { Card, Failure, Notice, Skeleton } from '../../ui/page.tsx';
import { consumptionQuery } from './data.ts';
import { Flow, type Stream } from './flow.tsx';
import { say } from './messages.ts';
import type { Part } from './parts.ts';
import { streamsOf } from './streams.ts';

interface Props {
  property_id: number;
  start_timestamp: string;
  end_timestamp: string;
  meters: readonly Meter[];
  parts: readonly Part[];
}

/** The same streams as words: a line each, set in as deep as it hangs. */
function Lines({ stream, depth, total }: { stream: Stream; depth: number; total: number }) {
  return (
    <>
      <tr className="border-b border-line last:border-0">
        <th
          scope="row"
          className="py-1.5 text-left font-normal"
          style={{ paddingLeft: `${depth * 1.25}rem` }}
        >
          <span
            aria-hidden="true"
            className="mr-2 inline-block size-3 rounded-sm"
            style={{ background: stream.colour }}
          />
          {stream.name}
        </th>
        <td className="py-1.5 text-right whitespace-nowrap tabular-nums">{formatKwh(stream.kwh)}</td>
        <td className="w-16 py-1.5 text-right text-quiet tabular-nums">
          {formatPercent(total > 0 ? stream.kwh / total : 0)}
        </td>
      </tr>
      {stream.below.map((each) => (
        <Lines key={each.id} stream={each} depth={depth + 1} total={total} />
      ))}
    </>
  );
}

function inWords({ name, kwh, below }: Stream): string {
  return [`${name} ${formatKwh(kwh)}`, ...below.map(inWords)].join(', ');
}

/** The streams, and below them what is no part of the main meter's: virtual meters, or all where it is out of sight. */
function Table({ root, consumption }: { root: Stream | null; consumption: PropertyConsumption }) {
  const { submeters } = consumption;
  const virtual = submeters.filter(({ sub_meter_kind }) => sub_meter_kind === 'virtual');
  return (
    <table className="w-full text-sm">
      <caption className="sr-only">{say('where_it_went')}</caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">{say('meter')}</th>
          <th scope="col">kWh</th>
          <th scope="col">{say('share')}</th>
        </tr>
      </thead>
      <tbody>
        {root && <Lines stream={root} depth={0} total={root.kwh} />}
        {(root ? virtual : submeters).map(({ meter_id, name, known_consumption, sub_meter_kind }) => (
          <tr key={meter_id} className="border-b border-line last:border-0">
            <th scope="row" className="py-1.5 text-left font-normal">
              {name}
              {sub_meter_kind === 'virtual' && <span className="text-quiet"> ({say('calculated')})</span>}
            </th>
            <td className="py-1.5 text-right tabular-nums">
              {known_consumption === null ? words('unknown') : formatKwh(known_consumption)}
            </td>
            <td />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Where the energy of the period went: the picture, its lines, and how sure that is. */
export function Breakdown({ property_id, start_timestamp, end_timestamp, meters, parts }: Props) {
  const { data, error, refetch } = useQuery(consumptionQuery(property_id, start_timestamp, end_timestamp));
  if (error) return <Failure error={error} retry={refetch} />;
  if (!data) return <Skeleton className="h-80" />;
  const root = streamsOf(meters, parts, data);
  const uncertain = Number(data.unmetered_uncertainty ?? 0);
  return (
    <Card className="flex flex-col gap-4">
      <h2>{say('where_it_went')}</h2>
      <div className="grid items-center gap-x-8 gap-y-4 lg:grid-cols-2">
        {root && <Flow root={root} label={inWords(root)} />}
        <Table root={root} consumption={data} />
      </div>
      {data.imbalance !== null && (
        <Notice tone="warn" icon="attention">
          {say('exceeds', { kwh: formatKwh(-Number(data.imbalance)) })}
        </Notice>
      )}
      {uncertain >= 0.001 && (
        <p className="text-sm text-quiet">{say('could_move', { kwh: formatKwh(uncertain) })}</p>
      )}
    </Card>
  );
}
