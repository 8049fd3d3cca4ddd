import { expect, it } from 'vitest';
import { longRun } from './page/testing/long-run.ts';
import { received, type SentLaid, sent } from './sent.ts';

const laid = { timeline: longRun(2_000), plans: {} };
const asJson = (value: unknown) => JSON.stringify(value);

it('a timeline that was sent is the same when it is received, and equal states are one object', () => {
  const got = received(JSON.parse(asJson(sent(laid))) as SentLaid);
  expect(got).toEqual(laid);
  const states = got.timeline.steps.flatMap(({ sites }) => Object.values(sites));
  expect(states).toHaveLength(2_000);
  expect(new Set(states).size).toBe(2);
});

it('a timeline is sent with each value once', () => {
  expect(sent(laid).values.length).toBeLessThan(10);
  expect(asJson(sent(laid)).length).toBeLessThan(0.75 * asJson(laid).length);
});
