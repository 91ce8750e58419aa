/** Short news at the lower edge, which goes by itself: what was saved, with a way to undo it. */
import { useSyncExternalStore } from 'react';
import { words } from '../languages/words.ts';
import { Button, IconButton } from './button.tsx';

interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void } | undefined;
}

/** Long enough to be read, and with something to press to be reached. */
const STAYS_MS = 6000;
const STAYS_WITH_ACTION_MS = 10_000;

let toasts: readonly Toast[] = [];
let last_id = 0;
const listeners = new Set<() => void>();

function become(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  become(toasts.filter((each) => each.id !== id));
}

export function toast(text: string, action?: Toast['action']): void {
  last_id += 1;
  const id = last_id;
  become([...toasts.slice(-2), { id, text, action }]);
  setTimeout(() => dismiss(id), action ? STAYS_WITH_ACTION_MS : STAYS_MS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 bottom-[calc(4.5rem+env(safe-area-inset-bottom))] z-20 flex flex-col items-center gap-2 px-4 md:bottom-6 print:hidden"
    >
      {shown.map(({ id, text, action }) => (
        <div
          key={id}
          className="pointer-events-auto flex w-full max-w-md items-center gap-2 rounded-xl bg-ink py-1 pr-1 pl-4 text-ground shadow-lg"
        >
          <p className="flex-1 py-2">{text}</p>
          {action && (
            <Button
              look="bare"
              className="!text-ground underline hover:!bg-transparent"
              onClick={() => {
                action.run();
                dismiss(id);
              }}
            >
              {action.label}
            </Button>
          )}
          <IconButton
            icon="close"
            label={words('close')}
            className="!text-ground hover:!bg-transparent"
            onClick={() => dismiss(id)}
          />
        </div>
      ))}
    </div>
  );
}
