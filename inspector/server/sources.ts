import type { Timeline } from '../../verification/timeline/format.ts';
import type { Embedded, SourceHead, Sources } from '../protocol.ts';
import { type Answer, Refused } from './server.ts';

/** Something that can be shown: how it is listed, and the timeline when it is asked for. */
export interface ShownSource {
  readonly head: SourceHead;
  readonly timeline: () => Timeline;
}

/** What is shown, and what is said of all of it. */
export interface Shown {
  readonly shown: readonly ShownSource[];
  readonly about: Omit<Sources, 'sources'>;
}

/** What the page is told of timelines that do not change. */
export function answerWith({ shown, about }: Shown): Answer {
  const sources: Sources = { ...about, sources: shown.map(({ head }) => head) };
  const made = new Map<string, Timeline>();
  // What is shown first is ready when the page is.
  const [first] = shown;
  if (first !== undefined) made.set(first.head.id, first.timeline());
  return (path) => {
    if (path === 'sources') return sources;
    const [, id] = /^timeline\/([\w-]+)$/.exec(path) ?? [];
    const found = shown.find(({ head }) => head.id === id);
    if (id === undefined || found === undefined) {
      const known = shown.map(({ head }) => head.id).join(', ');
      throw new Refused('NOT_FOUND', `no ${path}; there is timeline/ of ${known}`, 404);
    }
    const timeline = made.get(id) ?? found.timeline();
    made.set(id, timeline);
    return timeline;
  };
}

/** An id for addresses, made from what people call it, unlike all in `taken`. */
export function slug(text: string, taken: readonly string[] = []): string {
  const plain = text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const base = plain.replace(/^-|-$/g, '') || 'source';
  let id = base;
  for (let count = 2; taken.includes(id); count++) id = `${base}-${count}`;
  return id;
}

/** All of it at once, for a page that asks nobody. */
export function embeddedWith({ shown, about }: Shown): Embedded {
  return {
    sources: { ...about, sources: shown.map(({ head }) => head) },
    timelines: Object.fromEntries(shown.map(({ head, timeline }) => [head.id, timeline()])),
  };
}
