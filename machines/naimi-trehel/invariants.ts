import type { SiteContext } from './site.ts';

/** The part of a snapshot that the invariants read. */
export interface SiteView {
  readonly value: { readonly client: string; readonly routing: string };
  readonly context: SiteContext;
}

/**
 * The invariants of one site.
 *
 * - `L2`, `L3`: those rules of docs/protocol.md, section 1. The paper lacks two of the client states: `withdrawn` waits as
 *   `requesting` does, and `leaving` holds the token as `inCS` does.
 * - `left`: a site that has left owes no site the token.
 * - `routing`: the region `routing` and the variable `last` agree.
 */
export type Rule = 'L2' | 'L3' | 'left' | 'routing';

type Invariant = readonly [Rule, string, (client: string, site: SiteContext, routing: string) => boolean];

const invariants: readonly Invariant[] = [
  ['L2', 'in the critical section the token is here', (client, { token }) => token || !inside(client)],
  ['L2', 'a site with the token does not wait', (client, { token }) => !token || !waits(client)],
  ['L2', 'last and next name other sites', (_, { self, last, next }) => last !== self && next !== self],
  ['L3', 'next of an idle site is nil', (client, { next }) => client !== 'idle' || next === null],
  [
    'L3',
    'last of an idle site is nil exactly when the token is here',
    (client, { last, token }) => client !== 'idle' || (last === null) === token,
  ],
  [
    'L3',
    'last of a site that waits or is inside is nil exactly when next is',
    (client, { last, next }) => !(waits(client) || inside(client)) || (last === null) === (next === null),
  ],
  ['left', 'next of a site that has left is nil', (client, { next }) => client !== 'left' || next === null],
  [
    'routing',
    'routing is root exactly when last is nil',
    (_, { last }, routing) => (last === null) === (routing === 'root'),
  ],
];

/**
 * Returns the first invariant of `rules` (default: all) that this site breaks, as text with the site's state.
 * `null`: the site keeps all of them.
 */
export function brokenInvariant({ value, context }: SiteView, ...rules: readonly Rule[]): string | null {
  for (const [rule, says, holds] of invariants) {
    if (rules.length > 0 && !rules.includes(rule)) continue;
    if (holds(value.client, context, value.routing)) continue;
    const { self, last, next, token } = context;
    return (
      `${rule}: ${says}, but ${self} is ${value.client} (${value.routing}) ` +
      `with last ${last ?? 'nil'}, next ${next ?? 'nil'}, token ${token ? 'here' : 'elsewhere'}`
    );
  }
  return null;
}

function waits(client: string): boolean {
  return client === 'requesting' || client === 'withdrawn';
}

function inside(client: string): boolean {
  return client === 'inCS' || client === 'leaving';
}
