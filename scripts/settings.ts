/** The table of settings, from the one place that reads them. */
import { SETTINGS } from '../src/server/config.ts';

export function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(
    ([name, { default_text, meaning }]) => `| \`${name}\` | ${default_text} | ${meaning} |`,
  );
  return `# Settings

Environment variables. A wrong value stops the start with a sentence that names the variable.

| variable | default | meaning |
| --- | --- | --- |
${rows.join('\n')}
`;
}
