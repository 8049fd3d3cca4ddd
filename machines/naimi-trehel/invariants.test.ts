import { expect, test } from 'vitest';
import { start, take } from '../../statechart/xstate.ts';
import { brokenInvariant, type SiteView } from './invariants.ts';
import { type SiteContext, siteMachine } from './site.ts';

function view(client: string, routing: string, context: Partial<SiteContext>): SiteView {
  return {
    value: { client, routing },
    context: { self: 'b', last: null, next: null, token: false, peers: 2, ...context },
  };
}

test('a site keeps its invariants from its start through a request and a queue', () => {
  let { snapshot } = start(siteMachine, { self: 'b', root: 'a', peers: 2 });
  expect(brokenInvariant(snapshot)).toBeNull();
  for (const event of [
    { type: 'ask' },
    { type: 'REQUEST', origin: 'c' },
    { type: 'TOKEN' },
    { type: 'REQUEST', origin: 'a' },
    { type: 'release' },
  ] as const) {
    snapshot = take(siteMachine, snapshot, event).snapshot;
    expect(brokenInvariant(snapshot)).toBeNull();
  }
});

test.each([
  ['L2: in the critical section', view('inCS', 'root', {})],
  ['L2: in the critical section', view('leaving', 'root', {})],
  ['L2: a site with the token', view('requesting', 'root', { token: true })],
  ['L2: a site with the token', view('withdrawn', 'root', { token: true })],
  ['L2: last and next', view('inCS', 'forwarding', { token: true, last: 'c', next: 'b' })],
  ['L2: last and next', view('idle', 'forwarding', { last: 'b' })],
  ['L3: next of an idle site', view('idle', 'forwarding', { last: 'c', next: 'c' })],
  ['L3: last of an idle site', view('idle', 'root', {})],
  ['L3: last of an idle site', view('idle', 'forwarding', { last: 'a', token: true })],
  ['L3: last of a site that waits', view('requesting', 'forwarding', { last: 'a' })],
  ['L3: last of a site that waits', view('inCS', 'root', { next: 'a', token: true })],
  ['left: next of a site', view('left', 'forwarding', { last: 'a', next: 'a' })],
  ['routing: routing is root', view('requesting', 'forwarding', {})],
])('%s: is broken by what breaks it, and the site is shown', (rule, broken) => {
  const said = brokenInvariant(broken);
  expect(said).toContain(rule);
  expect(said).toContain(`b is ${broken.value.client} (${broken.value.routing}) with last`);
});

test('only the requested rules are evaluated', () => {
  const both = view('inCS', 'root', { next: 'a' });
  expect(brokenInvariant(both, 'L3')).toMatch(/^L3/);
  expect(brokenInvariant(both, 'left')).toBeNull();
});
