import { useRef, useState } from 'react';
import { textOf } from './data.ts';
import { pngOf, save } from './export.ts';

export interface DownloadsProps {
  /** Name of the file without its extension. */
  readonly name: string;
  readonly svg: () => string;
  /** Further formats: the extension and the text, by the name in the menu. */
  readonly texts?: Readonly<Record<string, readonly [extension: string, text: () => string]>>;
}

/**
 * Saves a view as a file. Each format is a button. A `select` would save a file at every arrow key, because
 * browsers report each value that the keys pass.
 */
export function Downloads({ name, svg, texts = {} }: DownloadsProps) {
  const menu = useRef<HTMLDetailsElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const others = Object.entries(texts).map(
    ([kind, [extension, text]]) => [kind, async () => save(`${name}.${extension}`, text())] as const,
  );
  const formats: Readonly<Record<string, () => Promise<void>>> = {
    SVG: async () => save(`${name}.svg`, svg()),
    PNG: async () => save(`${name}.png`, await pngOf(svg())),
    ...Object.fromEntries(others),
  };
  const pick = (saved: () => Promise<void>) => {
    setProblem(null);
    saved().then(
      () => menu.current?.removeAttribute('open'),
      (error: unknown) => setProblem(textOf(error)),
    );
  };
  return (
    <details
      ref={menu}
      className="downloads"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        menu.current!.removeAttribute('open');
        menu.current!.querySelector('summary')!.focus();
      }}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) currentTarget.removeAttribute('open');
      }}
    >
      <summary aria-label={`Save ${name}`}>Save</summary>
      <div>
        {Object.entries(formats).map(([kind, saved]) => (
          <button key={kind} type="button" onClick={() => pick(saved)}>
            {kind}
          </button>
        ))}
        {problem !== null && <p role="alert">{problem}</p>}
      </div>
    </details>
  );
}
