import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { words } from '../../languages/words.ts';
import { anonymous, signIn } from '../../session.ts';
import { Field, PasswordField } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { SmallPage } from '../../ui/page.tsx';
import { say } from './messages.ts';

export function Register() {
  const navigate = useNavigate();
  const search = useSearch({ from: '/register' });
  return (
    <SmallPage title={say('register')}>
      <Form
        submit={say('register')}
        onSubmit={async ({ username = '', email = '', password = '' }) => {
          await anonymous.register({ body: { username, email, password } });
          await signIn(username, password);
          await navigate({ href: search.to ?? '/' });
        }}
      >
        {(errors) => (
          <>
            <Field
              label={say('username')}
              name="username"
              required
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              hint={say('username_hint')}
              error={errors.username}
            />
            <Field
              label={say('email')}
              name="email"
              type="email"
              required
              autoComplete="email"
              inputMode="email"
              error={errors.email}
            />
            <PasswordField
              label={say('password')}
              name="password"
              required
              autoComplete="new-password"
              minLength={15}
              hint={say('password_hint')}
              error={errors.password}
            />
          </>
        )}
      </Form>
      <p className="flex flex-wrap items-center gap-x-2">
        {say('have_account')}{' '}
        <Link to="/sign-in" search={search} className="inline-flex min-h-11 items-center">
          {words('sign_in')}
        </Link>
      </p>
    </SmallPage>
  );
}
