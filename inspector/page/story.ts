import type { TimelineProperty } from '../../verification/timeline/format.ts';
import type { Moments } from './moments.ts';
import { actorWord } from './pointers.ts';

/** A run in one sentence. */
export interface Story {
  readonly tone: 'violated' | 'holds' | 'open';
  readonly sentence: string;
  /** The name with which the sentence begins. `''`: none. */
  readonly subject: string;
  /** The moment that the sentence is about. `null`: none in particular. */
  readonly moment: number | null;
  /** The index of the property that the sentence is about. */
  readonly property: number | null;
  /** Another property that is violated earlier. `null`: none is. */
  readonly earlier: Violation | null;
}

interface Violation {
  readonly moment: number;
  /** The index of the property. */
  readonly property: number;
}

export function storyOf(moments: Moments): Story {
  const { focus } = moments.timeline;
  const told = focus === undefined ? null : ofProperty(moments, focus);
  return told ?? firstViolation(moments) ?? nothingViolated(moments);
}

function ofProperty(moments: Moments, index: number): Story | null {
  const property = moments.timeline.properties[index]!;
  const violated = violation(moments, index);
  if (violated !== null) return afterEarlier(moments, violated);
  if (property.kind !== 'reachable' || moments.verdict(index, moments.last).verdict !== 'holds') return null;
  const sentence = `${titleOf(property)}: this is reached, ${at(moments.last, moments)}.`;
  return {
    tone: 'holds',
    sentence,
    subject: titleOf(property),
    moment: moments.last,
    property: index,
    earlier: null,
  };
}

function violation(moments: Moments, index: number): Story | null {
  const since = moments.brokenSince(index);
  if (since === null) return null;
  const { loop, properties } = moments.timeline;
  const { name } = properties[index]!;
  const { reason } = moments.verdict(index, since);
  // The reason of a rule begins with the name of the rule, which the sentence has.
  const said = reason?.startsWith(`${name}: `) ? reason.slice(name.length + 2) : reason;
  const why = said === undefined ? '' : `: ${said}`;
  const forEver =
    loop === undefined
      ? ''
      : loop === moments.last
        ? ' From there on nothing need happen, for ever.'
        : ` The steps after step ${loop} repeat for ever.`;
  const subject = titleOf(properties[index]!);
  const sentence = `${subject} is violated${why}, ${at(since, moments)}.${forEver}`;
  return { tone: 'violated', sentence, subject, moment: since, property: index, earlier: null };
}

/** The run was made for one property, and may violate another one before. */
function afterEarlier(moments: Moments, story: Story): Story {
  const [first] = violations(moments);
  if (first === undefined || first.moment! >= story.moment!) return story;
  const sentence = `${story.sentence} ${first.sentence.replace('is violated', 'is violated first')}`;
  return { ...story, sentence, earlier: { moment: first.moment!, property: first.property! } };
}

function violations(moments: Moments): readonly Story[] {
  return moments.timeline.properties
    .map((_, index) => violation(moments, index))
    .filter((story) => story !== null)
    .sort((one, other) => one.moment! - other.moment!);
}

function firstViolation(moments: Moments): Story | null {
  const found = violations(moments);
  const [first, ...others] = found;
  if (first === undefined) return null;
  if (others.length === 0) return first;
  return { ...first, sentence: `${first.sentence} ${found.length} properties are violated in all.` };
}

function nothingViolated(moments: Moments): Story {
  const { properties, sites } = moments.timeline;
  const forgotten = moments.numberOf(0);
  const earlier =
    forgotten === 0 ? '' : ` (the newest; ${forgotten.toLocaleString('en')} earlier ones are no longer kept)`;
  const actors = sites.reduce((sum, { members }) => sum + (members?.length ?? 1), 0);
  const run = `${counted(moments.last, 'step')} of ${counted(actors, actorWord(moments))}${earlier}`;
  const base = { subject: '', moment: null, property: null, earlier: null };
  if (properties.length === 0) return { ...base, tone: 'open', sentence: `${run}.` };
  const notJudged = properties.filter((_, index) =>
    moments.verdict(index, moments.last).reason?.startsWith('not judged'),
  );
  if (notJudged.length === properties.length) {
    return { ...base, tone: 'open', sentence: `${run}; not everything was seen, so no property is judged.` };
  }
  const said =
    notJudged.length === 0 ? 'no property is violated' : 'no property that can be judged is violated';
  return { ...base, tone: 'holds', sentence: `${run}; ${said}.` };
}

/** `L3 (An idle site keeps nothing)`. */
export function titleOf({ name, about }: TimelineProperty): string {
  return about === undefined ? name : `${name} (${about})`;
}

function at(moment: number, moments: Moments): string {
  return moment === 0
    ? 'at the start'
    : `step ${moments.numberOf(moment)} of ${moments.numberOf(moments.last)}`;
}

function counted(count: number, thing: string): string {
  return `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`;
}
