import { type ReactNode, useEffect, useId, useRef } from 'react';
import { words } from '../languages/words.ts';
import { IconButton } from './button.tsx';

interface Props {
  title: string;
  /** Escape, the cross, or a press beside it. */
  onClose: () => void;
  children: ReactNode;
}

/**
 * Asks for one thing before the page goes on: a sheet from below on a phone, in the middle where there is room. Open as
 * long as it is drawn; the browser keeps the focus inside, and it returns to where it was.
 */
export function Dialog({ title, onClose, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    const dialog = ref.current!;
    dialog.showModal();
    return () => {
      dialog.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it too, by way of onCancel
    <dialog
      ref={ref}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
      className="m-0 mt-auto w-full max-w-none rounded-t-2xl bg-card p-0 text-ink shadow-xl sm:m-auto sm:w-[30rem] sm:max-w-[calc(100vw-2rem)] sm:rounded-2xl"
    >
      <div className="flex max-h-[85dvh] flex-col gap-4 overflow-y-auto p-5 pb-[max(1.25rem,env(safe-area-inset-bottom))]">
        <div className="flex items-start justify-between gap-3">
          <h2 id={id} className="pt-2 text-lg">
            {title}
          </h2>
          <IconButton icon="close" label={words('close')} onClick={onClose} />
        </div>
        {children}
      </div>
    </dialog>
  );
}
