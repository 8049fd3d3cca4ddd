import { useLayoutEffect, useState } from 'react';

export type Theme = 'light' | 'dark';

const key = 'baton-theme';

/** The theme of the system until the user chooses one. */
export function useTheme(): readonly [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => chosen() ?? preferred());
  // Before anything is drawn with the colours of the theme.
  useLayoutEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  const toggle = () => {
    const other = theme === 'dark' ? 'light' : 'dark';
    localStorage.setItem(key, other);
    setTheme(other);
  };
  return [theme, toggle];
}

function chosen(): Theme | null {
  const kept = localStorage.getItem(key);
  return kept === 'light' || kept === 'dark' ? kept : null;
}

function preferred(): Theme {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}
