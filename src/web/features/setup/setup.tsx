import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { words } from '../../languages/words.ts';
import { queries, rememberProperty } from '../../queries.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Field, NumberField, SelectField } from '../../ui/field.tsx';
import { Form, WrongFields } from '../../ui/form.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { toast } from '../../ui/toast.tsx';
import { type Begun, createAll, type MeterPlan, type PropertyPlan } from './create.ts';
import { say } from './messages.ts';
import { currencies, likelyCurrency, likelyTimezone, timezones } from './region.ts';

type Values = Readonly<Record<string, string>>;

/** Reads the form. Throws WrongFields. */
function toPlan(values: Values, rows: readonly number[]): PropertyPlan {
  const meter = (field: string): MeterPlan => {
    const digits = values[`${field}_digits`]?.trim();
    return { field, name: values[field]!.trim(), digits: digits ? Number(digits) : null };
  };
  const [main, ...submeters] = ['main', ...rows.map((row) => `submeter_${row}`)].map(meter) as [MeterPlan];
  const names = new Map<string, string>();
  for (const { field, name } of [main, ...(submeters as MeterPlan[])]) {
    if (names.has(name)) throw new WrongFields({ [field]: say('twice') });
    names.set(name, field);
  }
  return {
    display_name: values.display_name!,
    address: values.address!.trim() || null,
    timezone: values.timezone!,
    currency: values.currency!,
    main,
    submeters,
  };
}

function MeterFields({
  field,
  label,
  name,
  errors,
}: {
  field: string;
  label: string;
  name?: string;
  errors: Values;
}) {
  return (
    <div className="grid flex-1 grid-cols-[1fr_4.5rem] gap-3 sm:grid-cols-[1fr_7rem] sm:gap-4">
      <Field
        label={label}
        name={field}
        required
        autoComplete="off"
        maxLength={200}
        defaultValue={name}
        error={errors[field]}
      />
      <NumberField
        label={say('digits')}
        name={`${field}_digits`}
        inputMode="numeric"
        maxLength={1}
        error={errors[`${field}_digits`]}
      />
    </div>
  );
}

function PropertyFields({ errors }: { errors: Values }) {
  return (
    <Card className="flex flex-col gap-4">
      <Field
        label={say('property_name')}
        name="display_name"
        required
        autoComplete="off"
        maxLength={200}
        hint={say('property_example')}
        error={errors.display_name}
      />
      <Field
        label={say('address')}
        name="address"
        optional
        autoComplete="street-address"
        error={errors.address}
      />
      <details>
        <summary className="flex min-h-11 items-center font-medium text-accent">
          {say('where_and_money')}
        </summary>
        <div className="grid gap-4 pt-2 sm:grid-cols-2">
          <SelectField
            label={say('timezone')}
            name="timezone"
            defaultValue={likelyTimezone()}
            error={errors.timezone}
          >
            {timezones().map((timezone) => (
              <option key={timezone} value={timezone}>
                {timezone}
              </option>
            ))}
          </SelectField>
          <SelectField
            label={say('currency')}
            name="currency"
            defaultValue={likelyCurrency()}
            error={errors.currency}
          >
            {currencies().map(({ code, name }) => (
              <option key={code} value={code}>
                {`${code} · ${name}`}
              </option>
            ))}
          </SelectField>
        </div>
      </details>
    </Card>
  );
}

function Submeters({
  rows,
  setRows,
  errors,
}: {
  rows: readonly number[];
  setRows: (rows: number[]) => void;
  errors: Values;
}) {
  return (
    <Card className="flex flex-col gap-4">
      <div>
        <h2>{words('submeters')}</h2>
        <p className="text-sm text-quiet">{say('submeters_explained')}</p>
      </div>
      {rows.map((row, i) => (
        <div key={row} className="flex items-start gap-2">
          <MeterFields
            field={`submeter_${row}`}
            label={say('submeter_name', { number: i + 1 })}
            errors={errors}
          />
          <IconButton
            icon="close"
            className="mt-8"
            label={say('remove_submeter', { number: i + 1 })}
            onClick={() => setRows(rows.filter((each) => each !== row))}
          />
        </div>
      ))}
      <Button
        look="quiet"
        icon="plus"
        className="self-start"
        onClick={() => setRows([...rows, Math.max(0, ...rows) + 1])}
      >
        {say('add_submeter')}
      </Button>
    </Card>
  );
}

/** A property and all of its meters, in one form; then the first round. */
export function Setup() {
  const navigate = useNavigate();
  const [rows, setRows] = useState([1]);
  const begun = useRef<Begun>({ property: null, meters: new Set() });

  async function create(values: Values) {
    const property = await createAll(toPlan(values, rows), begun.current);
    rememberProperty(property.id);
    await queries.invalidateQueries();
    toast(say('created', { name: property.display_name }));
    await navigate({ to: '/read' });
  }

  return (
    <Page title={words('new_property')}>
      <div className="flex max-w-2xl flex-col gap-4">
        <p className="text-quiet">{say('explained')}</p>
        <Form submit={say('create')} onSubmit={create}>
          {(errors) => (
            <>
              <PropertyFields errors={errors} />
              <Card className="flex flex-col gap-4">
                <div>
                  <h2>{words('main_meter')}</h2>
                  <p className="text-sm text-quiet">{say('main_explained')}</p>
                </div>
                <MeterFields
                  field="main"
                  label={say('main_meter_name')}
                  name={words('main_meter')}
                  errors={errors}
                />
                <p className="text-sm text-quiet">{say('digits_hint')}</p>
              </Card>
              <Submeters rows={rows} setRows={setRows} errors={errors} />
            </>
          )}
        </Form>
      </div>
    </Page>
  );
}
