import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { anonymous } from '../../session.ts';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Notice, SmallPage } from '../../ui/page.tsx';
import { say } from './messages.ts';

export function Forgot() {
  const [sent, setSent] = useState(false);
  return (
    <SmallPage title={say('forgot_password')}>
      <div role="status" className="empty:hidden">
        {sent && <Notice tone="info">{say('link_sent')}</Notice>}
      </div>
      {!sent && (
        <Form
          submit={say('send_link')}
          onSubmit={async ({ username = '' }) => {
            await anonymous.forgotPassword({ body: { username } });
            setSent(true);
          }}
        >
          {(errors) => (
            <Field
              label={say('username_or_email')}
              name="username"
              required
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              hint={say('forgot_explained')}
              error={errors.username}
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
