import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import type { SiteMessage } from '../../../machines/line/messages.ts';
import { always, relation } from '../../system/properties.ts';
import type { History, InFlight, Property } from '../../system/system.ts';

/**
 * A request is *in the line of the token* when it stands on the token, in the line of the site that has the token or gets it, or in
 * the line of a site that is itself in the line of the token. From then on its wait is bounded.
 */
export interface Overtaken {
  /** The site that has the token or gets it. */
  readonly holder: SiteId;
  /** For each site, its line; for the holder of a travelling token, the entries of the token as well. */
  readonly lines: Readonly<Record<SiteId, readonly SiteId[]>>;
  /** For each site in the line of the token, the entries by other sites since. */
  readonly entries: Readonly<Record<SiteId, number>>;
}

type Sent = NamedAction & { readonly target: SiteId; readonly message: SiteMessage };

/** Counts up to one above `most`, so that a system that breaks the bound stays finite. */
export function overtaking(root: SiteId, most: number): History {
  return {
    initial: { holder: root, lines: {}, entries: {} } satisfies Overtaken,
    effects: ['send', 'grant'],
    deliveries: ['REQUEST', 'TOKEN'],
    after: (history, site, effects, delivered) =>
      after(history as Overtaken, site, effects, delivered, most + 1),
  };
}

function after(
  before: Overtaken,
  site: SiteId,
  effects: readonly NamedAction[],
  delivered: InFlight | null,
  cap: number,
): Overtaken {
  let { holder } = before;
  const lines: Record<SiteId, readonly SiteId[]> = { ...before.lines };
  const message = delivered?.message as SiteMessage | undefined;
  const sent = effects.filter(({ type }) => type === 'send') as Sent[];
  const isForwarded = sent.some((effect) => effect.message.type === 'REQUEST');
  if (message?.type === 'REQUEST' && !isForwarded) lines[site] = [...(lines[site] ?? []), message.origin];
  // The entries of a token count as its receiver's line as soon as it is sent; on arrival the own line goes first.
  if (message?.type === 'TOKEN') {
    const own = (lines[site] ?? []).filter((id) => !message.line.includes(id));
    lines[site] = [...own, ...message.line];
  }
  for (const { target, message: token } of sent) {
    if (token.type !== 'TOKEN') continue;
    holder = target;
    delete lines[site];
    lines[target] = [...(lines[target] ?? []), ...token.line];
  }
  const inLine = reachedFrom(holder, lines);
  const entries: Record<SiteId, number> = {};
  for (const id of Object.keys(lines)
    .concat(...Object.values(lines))
    .sort()) {
    if (inLine.has(id)) entries[id] = before.entries[id] ?? 0;
  }
  for (const { type } of effects) {
    if (type !== 'grant') continue;
    delete entries[site];
    for (const id of Object.keys(entries)) entries[id] = Math.min(entries[id]! + 1, cap);
  }
  for (const id of Object.keys(lines)) if (lines[id]!.length === 0) delete lines[id];
  return { holder, lines, entries };
}

/** The sites in the lines that begin at `holder`, without `holder` itself. */
function reachedFrom(
  holder: SiteId,
  lines: Readonly<Record<SiteId, readonly SiteId[]>>,
): ReadonlySet<SiteId> {
  const reached = new Set<SiteId>();
  const pending = [holder];
  for (const id of pending) {
    for (const next of lines[id] ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      pending.push(next);
    }
  }
  return reached;
}

/** R12: a request in the line of the token is overtaken by at most `most` entries. */
export const bounded = (most: number): Property =>
  always(
    'bounded overtaking',
    relation(
      () => 0,
      (_, history) => Object.values((history as Overtaken).entries).every((entries) => entries <= most),
    ),
    ({ history }) =>
      `entries by others since a site stood in the line of the token: ${JSON.stringify((history as Overtaken).entries)}`,
  );
