import { Link, useLocation } from '@tanstack/react-router';
import { useState } from 'react';
import { words } from '../../languages/words.ts';
import { anonymous } from '../../session.ts';
import { ButtonLink } from '../../ui/button.tsx';
import { PasswordField } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Notice, SmallPage } from '../../ui/page.tsx';
import { say } from './messages.ts';

export function Reset() {
  // Behind the #, so that it stands in no server's log.
  const token = useLocation({ select: ({ hash }) => hash });
  const [done, setDone] = useState(false);
  if (token === '') {
    return (
      <SmallPage title={say('choose_password')}>
        <Notice tone="bad">{say('link_broken')}</Notice>
        <ButtonLink to="/forgot">{say('forgot_password')}</ButtonLink>
      </SmallPage>
    );
  }
  return (
    <SmallPage title={say('choose_password')}>
      <div role="status" className="empty:hidden">
        {done && <Notice tone="info">{say('password_changed')}</Notice>}
      </div>
      {done ? (
        <ButtonLink to="/sign-in">{words('sign_in')}</ButtonLink>
      ) : (
        <Form
          submit={say('choose_password')}
          onSubmit={async ({ new_password = '' }) => {
            await anonymous.resetPassword({ body: { token, new_password } });
            setDone(true);
          }}
        >
          {(errors) => (
            <PasswordField
              label={say('new_password')}
              name="new_password"
              required
              autoComplete="new-password"
              minLength={15}
              hint={say('password_hint')}
              error={errors.new_password}
            />
          )}
        </Form>
      )}
      <Link to="/sign-in" className="inline-flex min-h-11 items-center">
        {say('back_to_sign_in')}
      </Link>
    </SmallPage>
  );
}
