import type { ReactNode } from 'react';

interface PanelProps {
  readonly title: string;
  readonly className: string;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}

export function Panel({ title, className, tools, children }: PanelProps) {
  return (
    <section className={`panel ${className}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <div className="tools">{tools}</div>
      </header>
      <div className="body">{children}</div>
    </section>
  );
}
