import { withoutFirst } from '../../verification/timeline/forget.ts';
import type { Laid, LiveFrame } from '../protocol.ts';

/** The data after a frame. */
export function after(before: Laid | null, frame: LiveFrame): Laid | null {
  if (frame.type === 'whole') return { timeline: frame.timeline, plans: frame.plans };
  if (before === null) return null;
  const { plans } = before;
  const timeline = frame.forget === 0 ? before.timeline : withoutFirst(before.timeline, frame.forget);
  const messages = [...timeline.messages];
  for (const [index, message] of frame.messages) messages[index] = message;
  return { timeline: { ...timeline, steps: [...timeline.steps, ...frame.steps], messages }, plans };
}
