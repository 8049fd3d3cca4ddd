import type { Timeline } from '../timeline.ts';
import { pngOf, save } from './export.ts';

interface DownloadsProps {
  readonly name: string;
  readonly svg: () => string;
  /** Where the run itself can be had, too. */
  readonly timeline?: Timeline;
}

/** Saves a view as a file. */
export function Downloads({ name, svg, timeline }: DownloadsProps) {
  const saved: Readonly<Record<string, () => void>> = {
    SVG: () => save(`${name}.svg`, svg()),
    PNG: () => {
      void pngOf(svg()).then((png) => save(`${name}.png`, png));
    },
    ...(timeline === undefined ? {} : { JSON: () => save(`${name}.json`, JSON.stringify(timeline)) }),
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
