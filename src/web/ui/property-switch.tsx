import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { words } from '../languages/words.ts';
import { propertiesQuery, rememberProperty } from '../queries.ts';

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
  return (
    <select
      aria-label={words('property')}
      value={property_id}
      onChange={(event) => navigate({ to, params: { property_id: event.currentTarget.value } })}
      className="-ml-2 min-h-11 max-w-full rounded-lg bg-transparent px-2 text-accent underline underline-offset-4"
    >
      {data.map(({ id, display_name }) => (
        <option key={id} value={id}>
          {display_name}
        </option>
      ))}
    </select>
  );
}
