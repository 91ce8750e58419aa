import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useRef } from 'react';
import { ApiError } from '../../../client/calls.ts';
import type { Meter } from '../../../contract/meters.ts';
import { readDecimal } from '../../languages/decimal.ts';
import { messages } from '../../languages/index.ts';
import { words } from '../../languages/words.ts';
import { metersQuery, readingsChanged } from '../../queries.ts';
import { api } from '../../session.ts';
import { NumberField } from '../../ui/field.tsx';
import { Form, WrongFields } from '../../ui/form.tsx';
import { Card, Failure, Page, Skeleton, Waiting } from '../../ui/page.tsx';
import { PropertySwitch } from '../../ui/property-switch.tsx';
import { toast } from '../../ui/toast.tsx';

const say = messages({
  now: {
    en: 'What you leave empty is not recorded. All values are of now.',
    sv: 'Det du lämnar tomt registreras inte. Alla värden gäller nu.',
    de: 'Was leer bleibt, wird nicht erfasst. Alle Werte gelten jetzt.',
  },
  no_number: {
    en: 'This is no number: 12345.6 is one.',
    sv: 'Det är inget tal: så ser ett ut: 12345,6.',
    de: 'Das ist keine Zahl; eine sieht so aus: 12345,6.',
  },
  nothing: {
    en: 'Enter at least one value.',
    sv: 'Ange minst ett värde.',
    de: 'Geben Sie mindestens einen Wert ein.',
  },
  saved: {
    en: { one: '{count} reading saved', other: '{count} readings saved' },
    sv: { one: '{count} avläsning sparad', other: '{count} avläsningar sparade' },
    de: { one: '{count} Ablesung gespeichert', other: '{count} Ablesungen gespeichert' },
  },
});

function Round({ meters }: { meters: readonly Meter[] }) {
  const navigate = useNavigate();
  /** What is recorded already of a round that stopped half-way: meter → value. */
  const sent = useRef(new Map<string, string>());

  async function record(values: Readonly<Record<string, string>>) {
    const reading_timestamp = new Date().toISOString();
    const given = meters.filter(({ id }) => values[`meter_${id}`]?.trim());
    if (given.length === 0) throw new WrongFields({ [`meter_${meters[0]!.id}`]: say('nothing') });
    for (const { id } of given) {
      const value = readDecimal(values[`meter_${id}`]!);
      if (value === null) throw new WrongFields({ [`meter_${id}`]: say('no_number') });
      if (sent.current.get(`${id}`) === value) continue;
      try {
        await api.createReading({ body: { meter_id: id, reading_timestamp, value } });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        const message = error.problem.errors?.[0]?.message ?? error.problem.detail;
        throw new WrongFields({ [`meter_${id}`]: message });
      }
      sent.current.set(`${id}`, value);
    }
    await readingsChanged();
    toast(say('saved', { count: given.length }));
    await navigate({ to: '/' });
  }

  return (
    <Form submit={words('save')} onSubmit={record}>
      {(errors) =>
        meters.map(({ id, name, location }) => (
          <Card key={id}>
            <NumberField
              label={name}
              name={`meter_${id}`}
              hint={location ?? undefined}
              error={errors[`meter_${id}`]}
            />
          </Card>
        ))
      }
    </Form>
  );
}

/** The meters of a property read one after the other. */
export function Reading() {
  const { property_id } = useParams({ from: '/inside/tabs/properties/$property_id/read' });
  const { data, error, refetch } = useQuery(metersQuery(Number(property_id)));
  return (
    <Page
      title={words('read_meters')}
      above={<PropertySwitch property_id={Number(property_id)} to="/properties/$property_id/read" />}
    >
      <p className="text-quiet">{say('now')}</p>
      {error && <Failure error={error} retry={refetch} />}
      {!error && !data && (
        <Waiting>
          <Skeleton className="h-28" />
          <Skeleton className="h-28" />
        </Waiting>
      )}
      {data && (
        <div className="max-w-xl">
          <Round meters={data.filter(({ sub_meter_kind }) => sub_meter_kind !== 'virtual')} />
        </div>
      )}
    </Page>
  );
}
