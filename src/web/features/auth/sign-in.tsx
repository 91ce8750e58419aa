import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { words } from '../../languages/words.ts';
import { signIn } from '../../session.ts';
import { Field, PasswordField } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { SmallPage } from '../../ui/page.tsx';
import { say } from './messages.ts';

export function SignIn() {
  const navigate = useNavigate();
  const search = useSearch({ from: '/sign-in' });
  return (
    <SmallPage title={words('sign_in')}>
      <Form
        submit={words('sign_in')}
        onSubmit={async ({ username = '', password = '' }) => {
          await signIn(username, password);
          await navigate({ href: search.to ?? '/' });
        }}
      >
        {(errors) => (
          <>
            <Field
              label={say('username_or_email')}
              name="username"
              required
              autoComplete="username webauthn"
              autoCapitalize="none"
              spellCheck={false}
              error={errors.username}
            />
            <PasswordField
              label={say('password')}
              name="password"
              required
              autoComplete="current-password"
              error={errors.password}
            />
          </>
        )}
      </Form>
      <div className="flex flex-col gap-1">
        <p>
          <Link to="/forgot" className="inline-flex min-h-11 items-center">
            {say('forgot_password')}
          </Link>
        </p>
        <p className="flex flex-wrap items-center gap-x-2">
          {say('no_account')}{' '}
          <Link to="/register" search={search} className="inline-flex min-h-11 items-center">
            {say('register')}
          </Link>
        </p>
      </div>
    </SmallPage>
  );
}
