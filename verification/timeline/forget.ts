import type { Message, SiteState, Timeline } from './format.ts';

type Course = Pick<Timeline, 'start' | 'steps' | 'messages'>;

/** The messages that are not over after the first `count` steps, and the new index of each by its old one. */
export interface KeptMessages {
  readonly messages: readonly Message[];
  readonly indices: ReadonlyMap<number, number>;
}

/** Messages that were sent in the forgotten steps are on their way at the start. */
export function messagesAfter(all: readonly Message[], count: number): KeptMessages {
  const messages: Message[] = [];
  const indices = new Map<number, number>();
  for (const [index, message] of all.entries()) {
    const { sent, ended } = message;
    if (ended !== null && ended <= count) continue;
    indices.set(index, messages.length);
    messages.push({
      ...message,
      sent: Math.max(0, sent - count),
      ended: ended === null ? null : ended - count,
    });
  }
  return { messages, indices };
}

/** The run without its first `count` steps: it begins with the moment after them. */
export function stepsAfter(
  { start, steps }: Omit<Course, 'messages'>,
  count: number,
  { indices }: KeptMessages,
) {
  const sites: Record<string, SiteState> = { ...start.sites };
  const verdicts = [...start.verdicts];
  for (const step of steps.slice(0, count)) {
    Object.assign(sites, step.sites);
    for (const [index, judgement] of Object.entries(step.verdicts)) verdicts[Number(index)] = judgement;
  }
  return {
    start: { sites, verdicts },
    steps: steps
      .slice(count)
      .map((step) =>
        step.message === null ? step : { ...step, message: indices.get(step.message) ?? null },
      ),
  };
}

/** The timeline without its first `count` steps. A lasso, which repeats some of its steps, is not given. */
export function withoutFirst(timeline: Timeline, count: number): Timeline {
  const kept = messagesAfter(timeline.messages, count);
  return {
    ...timeline,
    ...stepsAfter(timeline, count, kept),
    messages: kept.messages,
    forgotten: (timeline.forgotten ?? 0) + count,
  };
}

/** How many of the first steps to forget: none up to `most`, and then a quarter, so that it is seldom done. */
export function forgettable(steps: number, most: number): number {
  return steps <= most ? 0 : steps - Math.floor((most * 3) / 4);
}
