import { Component, type ReactNode, useEffect } from 'react';
import { messages } from '../languages/index.ts';
import { sentenceOf } from '../languages/problems.ts';
import { words } from '../languages/words.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icons.tsx';

const say = messages({
  failed: { en: 'That did not work', sv: 'Det gick inte', de: 'Das hat nicht geklappt' },
});

const NAME = 'Electric';

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === NAME ? NAME : `${title} · ${NAME}`;
  }, [title]);
}

interface PageProps {
  title: string;
  /** What stands above the title: where the page belongs. */
  above?: ReactNode;
  /** Buttons beside the title. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A page inside the shell. Its heading takes the focus when the page opens. */
export function Page({ title, above, actions, children }: PageProps) {
  useTitle(title);
  return (
    <div className="flex flex-col gap-5">
      <header className="flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          {above && <div className="text-sm text-quiet">{above}</div>}
          <h1 tabIndex={-1} className="break-words">
            {title}
          </h1>
        </div>
        {actions && <div className="flex flex-wrap gap-2 print:hidden">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A page for one small task, in the middle, without the shell: signing in, and the like. */
export function SmallPage({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main id="content" className="mx-auto flex min-h-dvh w-full max-w-md flex-col justify-center gap-6 p-5">
      <div className="flex items-center gap-3">
        <img src="/icon.svg" alt="" width="40" height="40" />
        <span className="text-xl font-bold tracking-tight">{NAME}</span>
      </div>
      <div className="flex flex-col gap-5 rounded-2xl border border-line bg-card p-5 sm:p-7">
        <h1 tabIndex={-1}>{title}</h1>
        {children}
      </div>
    </main>
  );
}

/** @param label names the part for who cannot see where it begins; a heading inside does as well */
export function Card({
  children,
  label,
  className = '',
}: {
  children: ReactNode;
  label?: string;
  className?: string;
}) {
  return (
    <section
      aria-label={label}
      className={`min-w-0 rounded-2xl border border-line bg-card p-4 sm:p-5 print:break-inside-avoid ${className}`}
    >
      {children}
    </section>
  );
}

const TONES = {
  info: 'bg-accent-ground text-accent',
  warn: 'bg-warn-ground text-warn',
  bad: 'bg-bad-ground text-bad',
} as const;

/** A sentence that must be seen. @param icon stands before it */
export function Notice({
  tone,
  icon,
  children,
}: {
  tone: keyof typeof TONES;
  icon?: IconName;
  children: ReactNode;
}) {
  return (
    <div
      role={tone === 'bad' ? 'alert' : undefined}
      className={`flex items-start gap-2.5 rounded-xl p-3 ${TONES[tone]}`}
    >
      {icon && <Icon name={icon} size={22} />}
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  );
}

/** A grey shape where something is about to stand: nothing moves when it comes. */
export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden="true" className={`animate-pulse rounded-2xl bg-raised ${className}`} />;
}

/** Skeletons, and for who cannot see them the word. */
export function Waiting({ children }: { children: ReactNode }) {
  return (
    <div role="status" className="flex flex-col gap-4">
      <span className="sr-only">{words('loading')}</span>
      {children}
    </div>
  );
}

/** What went wrong, what to do, and a way to try again. @param retry without it there is nothing to try */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div role="alert" className="flex flex-col items-start gap-3 rounded-2xl border border-bad bg-card p-5">
      <div>
        <p className="font-semibold">{say('failed')}</p>
        <p className="text-quiet">{sentenceOf(error)}</p>
      </div>
      {retry && (
        <Button look="quiet" onClick={retry}>
          {words('try_again')}
        </Button>
      )}
    </div>
  );
}

/** A page that has nothing to show yet: says what would stand here, and how it gets there. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-3 rounded-2xl border border-dashed border-edge p-8 text-center">
      <span className="text-quiet">
        <Icon name={icon} size={40} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Catches what a screen throws while it is drawn, so that the rest of the app stays usable. */
export class Guard extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override render() {
    if (this.state.error === null) return this.props.children;
    return <Failure error={this.state.error} retry={() => location.reload()} />;
  }
}
