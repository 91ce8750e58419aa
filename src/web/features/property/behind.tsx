import { useQuery } from '@tanstack/react-query';
import type { Warning } from '../../../contract/readings.ts';
import { formatDateTime, formatExact, formatKwh, formatPercent } from '../../languages/format.ts';
import { words } from '../../languages/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Failure, Notice, Skeleton, Waiting } from '../../ui/page.tsx';
import type { Bar } from './bars.tsx';
import { readingsQuery } from './data.ts';
import { say } from './messages.ts';
import type { Bucket, Part } from './parts.ts';
import { partName } from './streams.ts';

interface Props {
  property_id: number;
  timezone: string;
  bar: Bar;
  bucket: Bucket;
  parts: readonly Part[];
  warnings: readonly Warning[];
  /** When any meter was last read. */
  latest: string;
  /** Opens the bar as a period of its own; null where there is nothing closer. */
  onCloser: (() => void) | null;
  onClose: () => void;
}

/** Why not all of a bar is known. */
function reasonOf({
  bucket,
  warnings,
  latest,
  timezone,
}: Pick<Props, 'bucket' | 'warnings' | 'latest' | 'timezone'>): string {
  if (bucket.end_timestamp > latest) return say('not_read_since', { date: formatDateTime(latest, timezone) });
  if (warnings.some(({ code }) => code === 'decreased')) return say('register_fell');
  return say('not_read_then');
}

function Readings({ property_id, bucket, timezone }: Pick<Props, 'property_id' | 'bucket' | 'timezone'>) {
  const { data, error, refetch } = useQuery(
    readingsQuery(property_id, bucket.start_timestamp, bucket.end_timestamp),
  );
  if (error) return <Failure error={error} retry={refetch} />;
  if (!data) {
    return (
      <Waiting>
        <Skeleton className="h-32" />
      </Waiting>
    );
  }
  if (data.items.length === 0) return <p className="text-quiet">{say('no_readings')}</p>;
  const more = data.total - data.items.length;
  return (
    <>
      <table className="w-full text-sm">
        <thead className="text-left text-quiet">
          <tr>
            <th scope="col" className="py-1 font-medium">
              {say('when')}
            </th>
            <th scope="col" className="py-1 font-medium">
              {say('meter')}
            </th>
            <th scope="col" className="py-1 text-right font-medium">
              {say('value')}, kWh
            </th>
          </tr>
        </thead>
        <tbody>
          {data.items.map((reading) => (
            <tr key={reading.id} className="border-t border-line">
              <td className="py-1.5 pr-2">{formatDateTime(reading.reading_timestamp, timezone)}</td>
              <td className="py-1.5 pr-2 break-words">{reading.meter_name}</td>
              <td className="py-1.5 text-right tabular-nums">{formatExact(reading.value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p className="text-sm text-quiet">{say('readings_more', { count: more })}</p>}
    </>
  );
}

/** What a bar is made of: its values, why some are missing, and the readings that it was computed from. */
export function Behind(props: Props) {
  const { bar, parts, onCloser, onClose } = props;
  return (
    <Dialog title={bar.title} onClose={onClose}>
      <dl className="flex flex-col gap-1">
        {parts.map((part, i) => (
          <div key={part.id} className="flex items-center gap-2">
            <span
              aria-hidden="true"
              className="size-3 shrink-0 rounded-sm"
              style={{ background: part.colour }}
            />
            <dt className="min-w-0 flex-1 break-words">{partName(part)}</dt>
            <dd className="tabular-nums">
              {bar.parts[i] == null ? words('unknown') : formatKwh(bar.parts[i])}
            </dd>
          </div>
        ))}
        {bar.unattributed > 0.0005 && (
          <div className="flex items-center gap-2">
            <dt className="flex-1 pl-5">{say('unattributed')}</dt>
            <dd className="tabular-nums">{formatKwh(bar.unattributed)}</dd>
          </div>
        )}
        <div className="flex gap-2 border-t border-line pt-1 font-semibold">
          <dt className="flex-1 pl-5">{words('total')}</dt>
          <dd className="tabular-nums">{bar.total === null ? words('unknown') : formatKwh(bar.total)}</dd>
        </div>
      </dl>
      {bar.coverage < 1 && (
        <Notice tone="warn" icon="attention">
          {reasonOf(props)}{' '}
          {bar.coverage > 0 && `(${say('known_part', { share: formatPercent(bar.coverage) })})`}
        </Notice>
      )}
      {bar.estimated && <p className="text-sm text-quiet">{say('hatched')}</p>}
      {onCloser && (
        <Button look="quiet" onClick={onCloser}>
          {say('closer')}
        </Button>
      )}
      <h3 className="font-semibold">{say('readings')}</h3>
      <Readings {...props} />
    </Dialog>
  );
}
