import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { words } from '../languages/words.ts';
import { propertiesQuery, rememberProperty } from '../queries.ts';
import { Icon } from './icons.tsx';

interface Props {
  property_id: number;
  /** The page that is opened for another property: the one that this stands on. */
  to: '/properties/$property_id' | '/properties/$property_id/meters' | '/properties/$property_id/read';
  /** What the property is called, until the list of all is there. */
  name?: string | undefined;
}

/** Says which property a page is about, and goes to the same page of another one where there are several. */
export function PropertySwitch({ property_id, to, name }: Props) {
  const navigate = useNavigate();
  const { data } = useQuery(propertiesQuery);
  useEffect(() => rememberProperty(property_id), [property_id]);
  if (!data || data.length < 2) {
    return <span className="block min-h-6 break-words">{data?.[0]?.display_name ?? name ?? '\u00a0'}</span>;
  }
  // What is shown is a text, as long as it likes; the select lies over it.
  return (
    <span className="relative inline-flex min-h-11 max-w-full items-center gap-1.5 rounded-lg text-accent has-focus-visible:outline-3 has-focus-visible:outline-accent">
      <span aria-hidden="true" className="min-w-0 break-words underline underline-offset-4">
        {data.find(({ id }) => id === property_id)?.display_name ?? name}
      </span>
      <Icon name="down" size={16} />
      <select
        aria-label={words('property')}
        value={property_id}
        onChange={(event) => navigate({ to, params: { property_id: event.currentTarget.value } })}
        className="absolute inset-0 w-full cursor-pointer opacity-0"
      >
        {data.map(({ id, display_name }) => (
          <option key={id} value={id}>
            {display_name}
          </option>
        ))}
      </select>
    </span>
  );
}
