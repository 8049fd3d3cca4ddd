import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { dataOf } from './data.ts';
import './styles.css';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App data={dataOf(document)} />
  </StrictMode>,
);
