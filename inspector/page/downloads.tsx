import { pngOf, save } from './export.ts';

export interface DownloadsProps {
  /** Of the file, without its extension. */
  readonly name: string;
  readonly svg: () => string;
  /** What else it can be had as: by the name in the menu, the extension and the text. */
  readonly texts?: Readonly<Record<string, readonly [extension: string, text: () => string]>>;
}

/** Saves a view as a file. */
export function Downloads({ name, svg, texts = {} }: DownloadsProps) {
  const others = Object.entries(texts).map(
    ([kind, [extension, text]]) => [kind, () => save(`${name}.${extension}`, text())] as const,
  );
  const saved: Readonly<Record<string, () => void>> = {
    SVG: () => save(`${name}.svg`, svg()),
    PNG: () => {
      void pngOf(svg()).then((png) => save(`${name}.png`, png));
    },
    ...Object.fromEntries(others),
  };
  return (
    <select
      className="downloads"
      aria-label="Save this view"
      value=""
      onChange={(event) => saved[event.target.value]?.()}
    >
      <option value="">Save</option>
      {Object.keys(saved).map((kind) => (
        <option key={kind}>{kind}</option>
      ))}
    </select>
  );
}
