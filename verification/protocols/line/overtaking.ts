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

export type Sent<Message = SiteMessage> = NamedAction & {
  readonly target: SiteId;
  readonly message: Message;
};

/** Counts up to one above `most`, so that a system that breaks the bound stays finite. */
export function overtaking(root: SiteId, most: number): History {
  return {
    initial: begun(root),
    effects: ['send', 'grant'],
    deliveries: ['REQUEST', 'TOKEN'],
    after: (history, site, effects, delivered) =>
      after(history as Overtaken, site, effects, delivered, most + 1),
  };
}

/** The token begins at `root`, and nobody waits. */
export const begun = (root: SiteId): Overtaken => ({ holder: root, lines: {}, entries: {} });

/** What a step of `site` makes of it. `cap`: no count goes above it. */
export function after(
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
  if (message?.type === 'REQUEST' && !sent.some((effect) => forwards(effect, message.origin)))
    lines[site] = [...(lines[site] ?? []), message.origin];
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

/** A site that adopts an epoch may send its own request in the step in which it keeps another one. */
const forwards = ({ message }: Sent, origin: SiteId): boolean =>
  message.type === 'REQUEST' && message.origin === origin;

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
