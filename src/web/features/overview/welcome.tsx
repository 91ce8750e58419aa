import { useState } from 'react';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Failure, Page } from '../../ui/page.tsx';
import { say } from './messages.ts';
import { loadSample } from './sample.ts';

/** What an account sees that has no property yet: the two ways to begin. */
export function Welcome() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function load() {
    setBusy(true);
    setError(null);
    try {
      await loadSample();
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  }

  return (
    <Page title={say('welcome')}>
      <div className="flex max-w-xl flex-col gap-6">
        <p className="text-lg text-quiet">{say('welcome_explained')}</p>
        <ButtonLink large icon="plus" to="/properties/new">
          {say('add_first')}
        </ButtonLink>
        <div className="flex flex-col gap-2">
          <Button look="quiet" large busy={busy} onClick={load}>
            {say(busy ? 'loading_sample' : 'try_sample')}
          </Button>
          <p className="text-sm text-quiet">{say('sample_explained')}</p>
        </div>
        {error !== null && <Failure error={error} retry={load} />}
      </div>
    </Page>
  );
}
