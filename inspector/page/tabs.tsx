import { type ReactNode, useId, useState } from 'react';

export interface Tab {
  readonly name: string;
  readonly className: string;
  /** Shown beside the name, such as the number of items. */
  readonly count?: ReactNode;
  readonly content: ReactNode;
}

interface TabsProps {
  readonly className: string;
  readonly label: string;
  readonly tabs: readonly Tab[];
}

/** Panels that share a place. The first is in front until another is chosen. */
export function Tabs({ className, label, tabs }: TabsProps) {
  const [chosen, setChosen] = useState(0);
  const front = Math.min(chosen, tabs.length - 1);
  const id = useId();
  return (
    <section className={`panel tabbed ${className}`} aria-label={label}>
      <header role="tablist" aria-label={label}>
        {tabs.map(({ name, count }, index) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-tab-${index}`}
            aria-selected={index === front}
            aria-controls={`${id}-panel-${index}`}
            onClick={() => setChosen(index)}
          >
            {name}
            {count !== undefined && <small>{count}</small>}
          </button>
        ))}
      </header>
      {tabs.map(({ name, className: own, content }, index) => (
        <div
          key={name}
          role="tabpanel"
          id={`${id}-panel-${index}`}
          aria-labelledby={`${id}-tab-${index}`}
          className={`body ${own}`}
          hidden={index !== front}
        >
          {index === front || own === 'verdicts' ? content : null}
        </div>
      ))}
    </section>
  );
}
