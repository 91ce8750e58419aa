import type { ReactNode } from 'react';

/** What is wider than a phone scrolls sideways by itself, with the keyboard too. @param label says what it is */
export function ScrollSideways({
  label,
  className = '',
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
      className={`overflow-x-auto print:overflow-visible ${className}`}
    >
      {children}
    </section>
  );
}
