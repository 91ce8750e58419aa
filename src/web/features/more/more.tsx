import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import {
  chooseLanguage,
  chosenLanguage,
  LANGUAGE_NAMES,
  LANGUAGES,
  type Language,
  messages,
} from '../../languages/index.ts';
import { sentenceOf } from '../../languages/problems.ts';
import { words } from '../../languages/words.ts';
import { api, signOut } from '../../session.ts';
import { chooseTheme, chosenTheme, THEMES } from '../../theme.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Choice } from '../../ui/field.tsx';
import { Card, Page } from '../../ui/page.tsx';
import { toast } from '../../ui/toast.tsx';

const say = messages({
  appearance: { en: 'Appearance', sv: 'Utseende', de: 'Darstellung' },
  language: { en: 'Language', sv: 'Språk', de: 'Sprache' },
  by_browser: { en: 'As the browser', sv: 'Som webbläsaren', de: 'Wie der Browser' },
  theme: { en: 'Light or dark', sv: 'Ljust eller mörkt', de: 'Hell oder dunkel' },
  system: { en: 'As the system', sv: 'Som systemet', de: 'Wie das System' },
  light: { en: 'Light', sv: 'Ljust', de: 'Hell' },
  dark: { en: 'Dark', sv: 'Mörkt', de: 'Dunkel' },
  account: { en: 'Account', sv: 'Konto', de: 'Konto' },
  signed_in_as: { en: 'Signed in as {name}', sv: 'Inloggad som {name}', de: 'Angemeldet als {name}' },
  properties: { en: 'Properties', sv: 'Fastigheter', de: 'Gebäude' },
  for_programs: { en: 'For programs', sv: 'För program', de: 'Für Programme' },
  api_reference: { en: 'Reference of the API', sv: 'Referens för API:et', de: 'Referenz der API' },
});

function Appearance() {
  const [theme, setTheme] = useState(chosenTheme);
  return (
    <Card>
      <div className="flex flex-col gap-4">
        <h2>{say('appearance')}</h2>
        <Choice
          label={say('theme')}
          value={theme}
          options={THEMES.map((value) => ({ value, label: say(value) }))}
          onChange={(value) => {
            chooseTheme(value);
            setTheme(value);
          }}
        />
        <Choice<Language | 'browser'>
          label={say('language')}
          value={chosenLanguage() ?? 'browser'}
          options={[
            { value: 'browser', label: say('by_browser') },
            ...LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] })),
          ]}
          onChange={(value) => chooseLanguage(value === 'browser' ? null : value)}
        />
      </div>
    </Card>
  );
}

function Account() {
  const { data } = useQuery({ queryKey: ['me'], queryFn: () => api.getMe({}) });
  return (
    <Card>
      <div className="flex flex-col items-start gap-3">
        <h2>{say('account')}</h2>
        <p className="min-h-6 break-words">
          {data && say('signed_in_as', { name: data.display_name ?? data.username })}
        </p>
        <Button
          look="quiet"
          icon="out"
          onClick={() => signOut().catch((error: unknown) => toast(sentenceOf(error)))}
        >
          {words('sign_out')}
        </Button>
      </div>
    </Card>
  );
}

export function More() {
  return (
    <Page title={words('more')}>
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Account />
        <Appearance />
        <Card>
          <div className="flex flex-col items-start gap-3">
            <h2>{say('properties')}</h2>
            <ButtonLink look="quiet" icon="plus" to="/properties/new">
              {words('new_property')}
            </ButtonLink>
          </div>
        </Card>
        <Card>
          <h2>{say('for_programs')}</h2>
          <a href="/docs" className="inline-flex min-h-11 items-center">
            {say('api_reference')}
          </a>
        </Card>
      </div>
    </Page>
  );
}
