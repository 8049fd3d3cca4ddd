import { assign, setup } from 'xstate';
import { getAdjacencyMap } from 'xstate/graph';
import { printAnswer } from '../answer.ts';

/**
 * `xstate-graph.ts SITES`: the approach of an XState user without a checker. All sites and links are written
 * by hand as one machine, whose events name their site. `xstate/graph` traverses it.
 */
const sites = Number(process.argv[2]);

interface Site {
  readonly client: 'idle' | 'requesting' | 'inCS';
  readonly last: number | null;
  readonly next: number | null;
  readonly token: boolean;
}

/** A number is a REQUEST from that origin. */
type Message = number | 'TOKEN';

interface Cluster {
  readonly sites: readonly Site[];
  /** For each source and target: the messages on their way. */
  readonly links: readonly (readonly (readonly Message[])[])[];
}

type ClusterEvent =
  | { readonly type: 'ask' | 'release'; readonly site: number }
  | { readonly type: 'deliver'; readonly source: number; readonly target: number };

const cluster = setup({ types: {} as { context: Cluster; events: ClusterEvent } }).createMachine({
  context: {
    sites: Array.from({ length: sites }, (_, self) => ({
      client: 'idle',
      last: self === 0 ? null : 0,
      next: null,
      token: self === 0,
    })),
    links: Array.from({ length: sites }, () => Array.from({ length: sites }, () => [])),
  },
  on: {
    ask: { actions: assign(({ context, event }) => ask(context, event.site)) },
    release: { actions: assign(({ context, event }) => release(context, event.site)) },
    deliver: { actions: assign(({ context, event }) => deliver(context, event.source, event.target)) },
  },
});

function ask(cluster: Cluster, self: number): Cluster {
  const { last, token } = cluster.sites[self]!;
  if (token) return update(cluster, self, { client: 'inCS' });
  return send(update(cluster, self, { client: 'requesting', last: null }), self, last!, self);
}

function release(cluster: Cluster, self: number): Cluster {
  const { next } = cluster.sites[self]!;
  if (next === null) return update(cluster, self, { client: 'idle' });
  return send(update(cluster, self, { client: 'idle', next: null, token: false }), self, next, 'TOKEN');
}

function deliver(before: Cluster, source: number, self: number): Cluster {
  const [message, ...rest] = before.links[source]![self]!;
  const links = before.links.with(source, before.links[source]!.with(self, rest));
  const cluster = { ...before, links };
  const { client, last, token } = cluster.sites[self]!;
  if (message === 'TOKEN') return update(cluster, self, { client: 'inCS', token: true });
  const origin = message!;
  if (last !== null) return send(update(cluster, self, { last: origin }), self, last, origin);
  if (!token || client !== 'idle') return update(cluster, self, { last: origin, next: origin });
  return send(update(cluster, self, { last: origin, token: false }), self, origin, 'TOKEN');
}

function update(cluster: Cluster, self: number, change: Partial<Site>): Cluster {
  return { ...cluster, sites: cluster.sites.with(self, { ...cluster.sites[self]!, ...change }) };
}

function send(cluster: Cluster, source: number, target: number, message: Message): Cluster {
  const link = [...cluster.links[source]![target]!, message];
  return { ...cluster, links: cluster.links.with(source, cluster.links[source]!.with(target, link)) };
}

function enabled({ sites, links }: Cluster): ClusterEvent[] {
  const clients = sites.flatMap(({ client }, site): ClusterEvent[] => {
    if (client === 'requesting') return [];
    return [{ type: client === 'idle' ? 'ask' : 'release', site }];
  });
  const arrivals = links.flatMap((from, source) =>
    from.flatMap((queue, target): ClusterEvent[] =>
      queue.length === 0 ? [] : [{ type: 'deliver', source, target }],
    ),
  );
  return [...clients, ...arrivals];
}

const started = performance.now();
const map = getAdjacencyMap(cluster, { events: ({ context }) => enabled(context) });
const seconds = (performance.now() - started) / 1000;
const found = Object.values(map);
const transitions = found.reduce((sum, { transitions }) => sum + Object.keys(transitions).length, 0);
printAnswer({ states: found.length, transitions, orbits: null, seconds, tableBytes: null });
