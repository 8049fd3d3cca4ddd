import type { SiteContext } from './site.ts';

/** The input of the invariants: the states of two regions, and the paper's variables. A snapshot has both. */
export interface SiteView {
  readonly value: { readonly client: string; readonly routing: string };
  readonly context: SiteContext;
}

/**
 * - `L2`, `L3`: those rules of protocol.md, for one site alone. The paper lacks two of the client states: `withdrawn`
 *   waits as `requesting` does, and `leaving` has the token as `inCS` does.
 * - `left`: a site that takes part no longer owes no site the token.
 * - `routing`: the two ways in which a site knows whether it is the root agree.
 */
export type Rule = 'L2' | 'L3' | 'left' | 'routing';

type Invariant = readonly [Rule, string, (client: string, site: SiteContext, routing: string) => boolean];

const invariants: readonly Invariant[] = [
  ['L2', 'in the critical section the token is here', (client, { token }) => token || !inside(client)],
  ['L2', 'where the token is, nobody waits for it', (client, { token }) => !token || !waits(client)],
  ['L2', 'last and next name other sites', (_, { self, last, next }) => last !== self && next !== self],
  ['L3', 'nobody is next of an idle site', (client, { next }) => client !== 'idle' || next === null],
  [
    'L3',
    'an idle site is the root exactly when the token is here',
    (client, { last, token }) => client !== 'idle' || (last === null) === token,
  ],
  [
    'L3',
    'a site that waits or is inside is the root exactly when nobody is next',
    (client, { last, next }) => !(waits(client) || inside(client)) || (last === null) === (next === null),
  ],
  [
    'left',
    'nobody is next of a site that has left',
    (client, { next }) => client !== 'left' || next === null,
  ],
  [
    'routing',
    'in root exactly when last is nil',
    (_, { last }, routing) => (last === null) === (routing === 'root'),
  ],
];

/**
 * The first of the invariants of `rules` (default: all) that this site breaks: its rule, and the site as
 * it is; `null` when it keeps them. The checker asks in every state, the runtime's host after every event.
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
