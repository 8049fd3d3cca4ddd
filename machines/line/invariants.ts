import type { SiteContext } from './site.ts';

/** The part of a snapshot that the invariants read. */
export interface SiteView {
  readonly value: { readonly client: string; readonly routing: string };
  readonly context: SiteContext;
}

/**
 * The invariants of one site.
 *
 * - `L2`, `L3`: those rules of docs/protocol.md, section 2. `withdrawn` waits as `requesting` does, and `leaving` holds the token
 *   as `inCS` does.
 * - `left`: a site that has left keeps no line.
 * - `routing`: the region `routing` and the variable `last` agree.
 */
export type Rule = 'L2' | 'L3' | 'left' | 'routing';

type Invariant = readonly [Rule, string, (client: string, site: SiteContext, routing: string) => boolean];

const invariants: readonly Invariant[] = [
  ['L2', 'in the critical section the token is here', (client, { token }) => token || !inside(client)],
  ['L2', 'a site with the token does not wait', (client, { token }) => !token || !waits(client)],
  [
    'L2',
    'last and line name other sites',
    (_, { self, last, line }) => last !== self && !line.includes(self),
  ],
  ['L2', 'a line names a site once', (_, { line }) => new Set(line).size === line.length],
  ['L3', 'the line of an idle site is empty', (client, { line }) => client !== 'idle' || line.length === 0],
  [
    'L3',
    'last of an idle site is nil exactly when the token is here',
    (client, { last, token }) => client !== 'idle' || (last === null) === token,
  ],
  [
    'L3',
    'last of a site that waits or is inside is nil',
    (client, { last }) => !(waits(client) || inside(client)) || last === null,
  ],
  [
    'left',
    'the line of a site that has left is empty',
    (client, { line }) => client !== 'left' || line.length === 0,
  ],
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
    const { self, last, line, token } = context;
    return (
      `${rule}: ${says}, but ${self} is ${value.client} (${value.routing}) ` +
      `with last ${last ?? 'nil'}, line [${line.join(', ')}], token ${token ? 'here' : 'elsewhere'}`
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
