import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useSyncExternalStore } from 'react';
import { words } from '../../languages/words.ts';
import { queries } from '../../queries.ts';
import { anonymous, api, signedIn, subscribe } from '../../session.ts';
import { ButtonLink } from '../../ui/button.tsx';
import { Form } from '../../ui/form.tsx';
import { Failure, Skeleton, SmallPage, Waiting } from '../../ui/page.tsx';
import { say } from './messages.ts';

export function Invitation() {
  const { token } = useParams({ from: '/invitations/$token' });
  const navigate = useNavigate();
  const signed_in = useSyncExternalStore(subscribe, signedIn);
  const { data, error, refetch } = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => anonymous.getInvitation({ token }),
  });
  const to = `/invitations/${token}`;
  if (!data) {
    return (
      <SmallPage title={say('invitation')}>
        {error ? (
          <Failure error={error} retry={refetch} />
        ) : (
          <Waiting>
            <Skeleton className="h-24" />
          </Waiting>
        )}
      </SmallPage>
    );
  }
  return (
    <SmallPage title={say('invitation')}>
      <p className="text-lg">
        {say('invited_to', {
          by: data.invited_by,
          property: data.property_name,
          role: words(`role_${data.role}`),
        })}
      </p>
      {signed_in === 'yes' ? (
        <Form
          submit={say('accept')}
          onSubmit={async () => {
            await api.acceptInvitation({ token });
            await navigate({ to: '/' });
            await queries.invalidateQueries();
          }}
        >
          {() => null}
        </Form>
      ) : (
        <>
          <p>{say('sign_in_to_accept')}</p>
          <ButtonLink to="/sign-in" search={{ to }}>
            {words('sign_in')}
          </ButtonLink>
          <ButtonLink look="quiet" to="/register" search={{ to }}>
            {say('register')}
          </ButtonLink>
        </>
      )}
    </SmallPage>
  );
}
