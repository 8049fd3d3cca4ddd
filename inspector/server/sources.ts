import type { Timeline } from '../../verification/timeline/format.ts';
import type { Embedded, Laid, SourceHead, Sources } from '../protocol.ts';
import { sent } from '../sent.ts';
import { plansOf } from './chart-plan.ts';
import { type Answer, Packed, Refused } from './server.ts';

/** Something that can be shown: how it is listed, and the timeline when it is asked for. */
export interface ShownSource {
  readonly head: SourceHead;
  readonly timeline: () => Timeline;
}

/** The sources that are shown, and the facts about all of them. */
export interface Shown {
  readonly shown: readonly ShownSource[];
  readonly about: Omit<Sources, 'sources'>;
}

/** Two files as one page, the first source of `other` beside the first of `one`, and the address that shows both. */
export function sideBySide(
  one: Shown,
  other: Shown,
  name: string,
): { readonly both: Shown; readonly hash: string } {
  const taken = one.shown.map(({ head }) => head.id);
  const beside = other.shown.map(({ head, timeline }): ShownSource => {
    const id = slug(`${head.id}-beside`, taken);
    taken.push(id);
    return { head: { ...head, id, title: `${head.title} (${name})` }, timeline };
  });
  const both = { shown: [...one.shown, ...beside], about: one.about };
  return { both, hash: `#source=${both.shown[0]!.head.id}&beside=${beside[0]!.head.id}` };
}

/** The answers to the page about timelines that do not change. */
export function answerWith({ shown, about }: Shown): Answer {
  const sources: Sources = { ...about, sources: shown.map(({ head }) => head) };
  const made = new Map<string, Promise<Packed>>();
  const packed = (timeline: Timeline) => laidOut(timeline).then((laid) => Packed.of(sent(laid)));
  // The first source is ready when the page is.
  const [first] = shown;
  if (first !== undefined) {
    const laid = packed(first.timeline());
    // The request that asks for it is told why it cannot be sent.
    laid.catch(() => undefined);
    made.set(first.head.id, laid);
  }
  return (path) => {
    if (path === 'sources') return sources;
    const [, id] = /^timeline\/([\w-]+)$/.exec(path) ?? [];
    const found = shown.find(({ head }) => head.id === id);
    if (id === undefined || found === undefined) {
      const known = shown.map(({ head }) => head.id).join(', ');
      throw new Refused('NOT_FOUND', `no ${path}; there is timeline/ of ${known}`, 404);
    }
    const laid = made.get(id) ?? packed(found.timeline());
    made.set(id, laid);
    return laid;
  };
}

/** A timeline with its statecharts laid out. */
export async function laidOut(timeline: Timeline): Promise<Laid> {
  return { timeline, plans: await plansOf(timeline.machines) };
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
export async function embeddedWith({ shown, about }: Shown): Promise<Embedded> {
  const timelines = shown.map(
    async ({ head, timeline }) => [head.id, sent(await laidOut(timeline()))] as const,
  );
  return {
    sources: { ...about, sources: shown.map(({ head }) => head) },
    timelines: Object.fromEntries(await Promise.all(timelines)),
  };
}
