import { Link, type LinkProps } from '@tanstack/react-router';
import type { ButtonHTMLAttributes, ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';

const LOOKS = {
  primary: 'bg-accent text-on-accent border-transparent hover:brightness-110',
  quiet: 'bg-card text-ink border-edge hover:bg-raised',
  bare: 'bg-transparent text-accent border-transparent hover:bg-raised',
  danger: 'bg-card text-bad border-bad hover:bg-bad-ground',
} as const;

type Look = keyof typeof LOOKS;

/** At least 44 px high: it is used with one thumb, in a cellar. */
function classes(look: Look, large: boolean): string {
  const size = large ? 'min-h-14 px-6 text-lg' : 'min-h-11 px-4';
  return `inline-flex items-center justify-center gap-2 rounded-xl border font-semibold no-underline select-none disabled:opacity-60 ${size} ${LOOKS[look]}`;
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: Look;
  large?: boolean;
  icon?: IconName;
  /** Being worked on: it says so, and takes no second press. */
  busy?: boolean;
};

export function Button({
  look = 'primary',
  large = false,
  icon,
  busy = false,
  className = '',
  disabled,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={`${classes(look, large)} ${className}`}
    >
      {icon && <Icon name={icon} size={20} />}
      {children}
    </button>
  );
}

type ButtonLinkProps = LinkProps & {
  look?: Look;
  large?: boolean;
  icon?: IconName;
  className?: string;
  children: ReactNode;
};

/** Looks like a button, and is a link: it opens a page. */
export function ButtonLink({
  look = 'primary',
  large = false,
  icon,
  className = '',
  children,
  ...rest
}: ButtonLinkProps) {
  return (
    <Link {...rest} className={`${classes(look, large)} ${className}`}>
      {icon && <Icon name={icon} size={20} />}
      {children}
    </Link>
  );
}

/** A button that shows a picture only. @param label what it does, for who does not see the picture */
export function IconButton({
  icon,
  label,
  className = '',
  ...rest
}: { icon: IconName; label: string } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button
      type="button"
      {...rest}
      aria-label={label}
      title={label}
      className={`inline-flex size-11 shrink-0 items-center justify-center rounded-xl text-quiet hover:bg-raised hover:text-ink disabled:opacity-40 ${className}`}
    >
      <Icon name={icon} />
    </button>
  );
}
