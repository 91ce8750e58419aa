/** Light or dark: as the system has it, unless somebody chose. */

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const CHOSEN = 'electric.theme';

export function chosenTheme(): Theme {
  const chosen = localStorage.getItem(CHOSEN);
  return THEMES.find((theme) => theme === chosen) ?? 'system';
}

export function applyTheme(): void {
  const theme = chosenTheme();
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(CHOSEN, theme);
  applyTheme();
}
