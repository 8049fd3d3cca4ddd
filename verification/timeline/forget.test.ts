import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { directory } from '../../cli/testing/directory.ts';
import { DrivenMesh } from '../runs/testing/driven-mesh.ts';
import { forgettable, withoutFirst } from './forget.ts';
import type { SiteState, Timeline } from './format.ts';
import { Recording } from './record.ts';

function recorded(): Timeline {
  let seed = 7;
  const choices = Array.from({ length: 60 }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed;
  });
  const { records } = new DrivenMesh(3).random(choices);
  const dir = directory();
  for (const [name, lines] of Object.entries(records))
    writeFileSync(join(dir, `${name}.ndjson`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return new Recording(dir).timeline('main');
}

/** The states, the verdicts and the messages on their way at every moment. */
function momentsOf({ start, steps, messages }: Timeline) {
  const sites: Record<string, SiteState> = { ...start.sites };
  const verdicts = [...start.verdicts];
  return [null, ...steps].map((step, moment) => {
    Object.assign(sites, step?.sites);
    for (const [index, one] of Object.entries(step?.verdicts ?? {})) verdicts[Number(index)] = one;
    const underWay = messages.filter(
      ({ sent, ended }) => sent <= moment && (ended === null || ended > moment),
    );
    return {
      sites: { ...sites },
      verdicts: [...verdicts],
      underWay: underWay.map(({ source, target, message, fate }) => ({ source, target, message, fate })),
      received: step?.message == null ? null : messages[step.message]!.message,
    };
  });
}

it('leaves every later moment as it was, however many steps are forgotten, at once or in two goes', () => {
  const timeline = recorded();
  const { steps, messages } = timeline;
  expect(steps.length).toBeGreaterThan(30);
  expect(messages.length).toBeGreaterThan(15);
  const whole = momentsOf(timeline);
  for (let count = 0; count <= steps.length; count++) {
    const rest = withoutFirst(timeline, count);
    const [first, ...others] = momentsOf(rest);
    expect(first).toEqual({ ...whole[count], received: null });
    expect(others).toEqual(whole.slice(count + 1));
    expect(rest.forgotten).toBe(count);
    const half = Math.floor(count / 2);
    expect(withoutFirst(withoutFirst(timeline, half), count - half)).toEqual(rest);
  }
});

it('forgets seldom, and then a quarter', () => {
  expect([0, 100, 101, 250].map((steps) => forgettable(steps, 100))).toEqual([0, 0, 26, 175]);
});
