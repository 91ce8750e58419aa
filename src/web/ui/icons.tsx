/** Own pictures: a plain system has no emoji. */
const PATHS = {
  overview: 'M4 11 12 4l8 7v9h-5v-6H9v6H4z',
  read: 'M5 4h14v16H5z M8 8h8v4H8z M8 16h3',
  meters: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 12l4-4 M7 12h1 M16 12h1',
  history: 'M5 20V10 M12 20V4 M19 20v-7',
  more: 'M5 12h.01 M12 12h.01 M19 12h.01',
  attention: 'M12 4 3 20h18z M12 10v4 M12 17h.01',
  next: 'm9 5 7 7-7 7',
  previous: 'm15 5-7 7 7 7',
  down: 'm5 9 7 7 7-7',
  up: 'm5 15 7-7 7 7',
  plus: 'M12 5v14 M5 12h14',
  close: 'M6 6l12 12 M18 6 6 18',
  check: 'm5 13 4 4L19 7',
  offline: 'M3 3l18 18 M8 16a6 6 0 0 1 8 0 M5 12a10 10 0 0 1 4-2.4 M13 9.2A10 10 0 0 1 19 12 M12 20h.01',
  property: 'M5 21V4h14v17 M9 8h2 M13 8h2 M9 12h2 M13 12h2 M10 21v-5h4v5',
  language: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M3 12h18 M12 3c3 3 3 15 0 18 M12 3c-3 3-3 15 0 18',
  theme: 'M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10z',
  out: 'M14 4H5v16h9 M10 12h11 M17 8l4 4-4 4',
  print: 'M7 9V4h10v5 M7 17H4v-8h16v8h-3 M7 14h10v6H7z',
  bolt: 'M13 3 5 14h6l-1 7 8-11h-6z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 24 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      className="shrink-0"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
