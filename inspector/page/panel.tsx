import { createContext, type ReactNode, use, useMemo } from 'react';

interface PanelProps {
  readonly title: string;
  readonly className: string;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}

type Enlarging = readonly [large: string | null, enlarge: (panel: string | null) => void];

const Enlarged = createContext<Enlarging>([null, () => undefined]);

interface PanelsProps {
  /** The panel that takes the place of all, by its class. `null`: all are shown. */
  readonly large: string | null;
  readonly onEnlarge: (panel: string | null) => void;
  readonly children: ReactNode;
}

export function Panels({ large, onEnlarge, children }: PanelsProps) {
  const enlarging = useMemo<Enlarging>(() => [large, onEnlarge], [large, onEnlarge]);
  return (
    <Enlarged value={enlarging}>
      <main className={large === null ? '' : 'enlarged'}>{children}</main>
    </Enlarged>
  );
}

export function Panel({ title, className, tools, children }: PanelProps) {
  const [large, enlarge] = use(Enlarged);
  const isLarge = large === className;
  const action = isLarge ? 'All panels' : 'Enlarge';
  return (
    <section className={`panel ${className} ${isLarge ? 'large' : ''}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <div className="tools">
          {tools}
          <button
            type="button"
            className="enlarge"
            aria-pressed={isLarge}
            aria-label={`${action}: ${title}`}
            title={isLarge ? 'All panels (Esc)' : 'Enlarge'}
            onClick={() => enlarge(isLarge ? null : className)}
          >
            <svg viewBox="0 0 12 12" aria-hidden="true">
              <path d={isLarge ? 'M5 1 v4 h-4 M7 11 v-4 h4' : 'M7 1 h4 v4 M5 11 h-4 v-4'} />
            </svg>
          </button>
        </div>
      </header>
      <div className="body">{children}</div>
    </section>
  );
}
