import { ButtonLink } from '../../ui/button.tsx';
import { SmallPage } from '../../ui/page.tsx';
import { say } from './messages.ts';

/** An address at which there is no page. */
export function NotFound() {
  return (
    <SmallPage title={say('nothing_here')}>
      <ButtonLink to="/">{say('to_overview')}</ButtonLink>
    </SmallPage>
  );
}
