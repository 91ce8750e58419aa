/** Days and periods of the calendar, as people write them. */
import { addDays, type Day, type Unit } from '../calendar.ts';
import { formatDatePart } from './format.ts';
import { currentLocale } from './index.ts';

/** Noon keeps clear of every border. */
function noon(day: Day): string {
  return `${day}T12:00:00Z`;
}

export function formatDay(day: Day, options: Intl.DateTimeFormatOptions = { dateStyle: 'medium' }): string {
  return formatDatePart(noon(day), 'UTC', options);
}

/** "March 2026", "2026", "week of 2 – 8 Mar 2026": the year is always said. @param end the day after the last */
export function formatPeriod(start: Day, end: Day, unit: Unit | null): string {
  if (unit === 'year') return formatDay(start, { year: 'numeric' });
  if (unit === 'month') return formatDay(start, { month: 'long', year: 'numeric' });
  if (unit === 'day')
    return formatDay(start, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
  const range = new Intl.DateTimeFormat(currentLocale(), { dateStyle: 'medium', timeZone: 'UTC' });
  return range.formatRange(new Date(noon(start)), new Date(noon(addDays(end, -1))));
}
