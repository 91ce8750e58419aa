import { useState } from 'react';
import { addDays, startOf, UNITS } from '../../calendar.ts';
import { formatPeriod } from '../../languages/days.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Choice, Field, SelectField } from '../../ui/field.tsx';
import { Form, WrongFields } from '../../ui/form.tsx';
import { say } from './messages.ts';
import {
  COMPARISONS,
  type Comparison,
  type Interval,
  type Period,
  type PeriodSearch,
  possibleBars,
  shift,
  toSearch,
} from './period.ts';

interface Props {
  period: Period;
  /** The last day about which something may be known. */
  last: string;
  onChange: (search: PeriodSearch) => void;
}

function OwnDates({ period, onChange, onClose }: Omit<Props, 'last'> & { onClose: () => void }) {
  return (
    <Dialog title={say('own')} onClose={onClose}>
      <Form
        submit={say('show')}
        onSubmit={async ({ from = '', until = '' }) => {
          if (until < from) throw new WrongFields({ until: say('order') });
          onChange({ from, to: addDays(until, 1) });
          onClose();
        }}
      >
        {(errors) => (
          <div className="grid gap-4 sm:grid-cols-2">
            <Field
              label={say('from')}
              name="from"
              type="date"
              required
              defaultValue={period.start}
              error={errors.from}
            />
            <Field
              label={say('until')}
              name="until"
              type="date"
              required
              defaultValue={addDays(period.end, -1)}
              error={errors.until}
            />
          </div>
        )}
      </Form>
    </Dialog>
  );
}

/** Which period, in which bars, against what: for every picture of the page at once, and kept in the address. */
export function PeriodBar({ period, last, onChange }: Props) {
  const [asking, setAsking] = useState(false);
  const { unit, start, end, bars, compare } = period;
  const kept = { ...(compare ? { compare } : {}) };
  const go = (to: { start: string; end: string }) =>
    onChange({ ...toSearch({ unit, ...to }), bars, ...kept });
  const options = possibleBars(period);
  return (
    <div className="flex flex-col gap-3 print:hidden">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Choice<Exclude<Period['unit'], null> | 'own'>
          label={say('period')}
          quiet
          value={unit ?? 'own'}
          options={[...UNITS, 'own' as const].map((value) => ({ value, label: say(value) }))}
          onChange={(chosen) => {
            if (chosen === 'own') return setAsking(true);
            // What is looked at stays in sight: the last day of it that may be known.
            const day = addDays(end, -1) < last ? addDays(end, -1) : last < start ? start : last;
            onChange({ unit: chosen, on: startOf(chosen, day), ...kept });
          }}
        />
        <div className="flex items-center">
          <IconButton icon="previous" label={say('earlier')} onClick={() => go(shift(period, -1))} />
          <p aria-live="polite" className="min-w-32 text-center font-semibold">
            {formatPeriod(start, end, unit)}
          </p>
          <IconButton
            icon="next"
            label={say('later')}
            disabled={end > last}
            onClick={() => go(shift(period, 1))}
          />
          {(last < start || last >= end) && (
            <Button look="bare" onClick={() => onChange({ unit: unit ?? 'year', ...kept })}>
              {say('latest')}
            </Button>
          )}
        </div>
      </div>
      <div className="grid max-w-xl grid-cols-2 gap-3">
        <SelectField
          label={say('bars')}
          value={bars}
          onChange={(event) =>
            onChange({ ...toSearch(period), bars: event.currentTarget.value as Interval, ...kept })
          }
        >
          {options.map((each) => (
            <option key={each} value={each}>
              {say(each)}
            </option>
          ))}
        </SelectField>
        <SelectField
          label={say('compare')}
          value={compare ?? ''}
          onChange={(event) => {
            const chosen = event.currentTarget.value as Comparison | '';
            onChange({ ...toSearch(period), bars, ...(chosen ? { compare: chosen } : {}) });
          }}
        >
          <option value="">{say('nothing')}</option>
          {COMPARISONS.map((each) => (
            <option key={each} value={each}>
              {say(each === 'previous' ? 'previous' : 'year_before')}
            </option>
          ))}
        </SelectField>
      </div>
      {asking && <OwnDates period={period} onChange={onChange} onClose={() => setAsking(false)} />}
    </div>
  );
}
