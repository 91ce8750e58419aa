/** What the property's page asks the server for. */
import { queryOptions } from '@tanstack/react-query';
import type { Day } from '../../calendar.ts';
import { api } from '../../session.ts';
import type { Interval } from './period.ts';

/** @param end_date the day after the last, or an instant, which cuts the last bar */
export const seriesQuery = (property_id: number, start_date: Day, end_date: string, interval: Interval) =>
  queryOptions({
    queryKey: ['property', property_id, 'series', start_date, end_date, interval],
    queryFn: ({ signal }) => api.getSeries({ property_id, start_date, end_date, interval }, { signal }),
    // Another period is drawn over the one before: nothing jumps in between.
    placeholderData: (before) => (before?.property_id === property_id ? before : undefined),
  });

/** @param start_timestamp as the series says where the period begins: only the server knows its instants */
export const consumptionQuery = (property_id: number, start_timestamp: string, end_timestamp: string) =>
  queryOptions({
    queryKey: ['property', property_id, 'consumption', start_timestamp, end_timestamp],
    queryFn: ({ signal }) => api.getConsumption({ property_id, start_timestamp, end_timestamp }, { signal }),
    placeholderData: (before) => (before?.property_id === property_id ? before : undefined),
  });

/** As many readings of a bar as are shown. */
const SHOWN = 200;

/** The readings within a bar, the one at its end too: it closes it. */
export const readingsQuery = (property_id: number, start_timestamp: string, end_timestamp: string) =>
  queryOptions({
    queryKey: ['property', property_id, 'readings', start_timestamp, end_timestamp],
    queryFn: ({ signal }) => {
      const end_date = new Date(Date.parse(end_timestamp) + 1).toISOString();
      return api.getPropertyRange(
        { property_id, start_date: start_timestamp, end_date, limit: SHOWN },
        { signal },
      );
    },
  });
