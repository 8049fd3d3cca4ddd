import { useState } from 'react';

export type Theme = 'light' | 'dark';

const key = 'baton-theme';

/** The theme of the system until the user chooses one. */
export function useTheme(): readonly [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => applied(chosen() ?? preferred()));
  const toggle = () => {
    const other = theme === 'dark' ? 'light' : 'dark';
    localStorage.setItem(key, other);
    setTheme(applied(other));
  };
  return [theme, toggle];
}

/** Before anything is drawn with its colours. */
function applied(theme: Theme): Theme {
  document.documentElement.dataset['theme'] = theme;
  return theme;
}

function chosen(): Theme | null {
  const kept = localStorage.getItem(key);
  return kept === 'light' || kept === 'dark' ? kept : null;
}

function preferred(): Theme {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}
