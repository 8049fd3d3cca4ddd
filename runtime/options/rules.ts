import type { Settings } from './schema.ts';

/** Two keys that contradict each other: the place and the reason. */
export interface Conflict {
  readonly path: readonly string[];
  readonly message: string;
}

/** Returns every contradiction between keys. */
export function conflictsOf(settings: Settings): Conflict[] {
  const { guest = false, size } = settings;
  const ofRole = guest ? guests(settings) : size === undefined ? members(settings) : fitting(settings);
  return [...ofRole, ...secured(settings), ...order(settings)];
}

/** The settings of members only. */
const ofMembers = ['size', 'root', 'founders', 'join', 'dataDir', 'voters', 'traceDir'] as const;

function* fitting({
  discovery,
  peers,
  dataDir,
  founders,
  join,
  root,
  voters,
}: Settings): Generator<Conflict> {
  if (discovery === undefined)
    yield { path: ['size'], message: 'processes find each other by discovery: give it, too' };
  const others = { peers: Object.keys(peers).length > 0 || undefined, dataDir, founders, join, root, voters };
  for (const [key, value] of Object.entries(others)) {
    if (value !== undefined)
      yield {
        path: [key],
        message: 'with size the members find each other: leave it out, or leave out size',
      };
  }
}

function* guests(settings: Settings): Generator<Conflict> {
  const { discovery, peers } = settings;
  if (discovery === undefined && Object.keys(peers).length === 0)
    yield { path: ['guest'], message: 'a guest finds members by discovery, or by peers: give one of them' };
  for (const key of ofMembers) {
    if (settings[key] !== undefined)
      yield { path: [key], message: 'a guest has none: leave it out, or leave out guest' };
  }
}

function* members(settings: Settings): Generator<Conflict> {
  const { site, peers, voters = [], founders, join = false } = settings;
  const sites = founders ?? [site, ...Object.keys(peers)];
  const { root = sites[0]! } = settings;
  if (founders && !founders.includes(site) && !join)
    yield { path: ['founders'], message: `${site} is one of the founders, or it says join: true` };
  if (join && Object.keys(peers).length === 0)
    yield { path: ['join'], message: 'a cluster is joined by its peers: name at least one' };
  const known = `one of ${sites.join(', ')}`;
  if (Object.hasOwn(peers, site))
    yield { path: ['peers', site], message: `peers are the other sites, ${site} is this one` };
  if (!join && !sites.includes(root))
    yield { path: ['root'], message: `the root is a founder, ${known}; got "${root}"` };
  for (const [at, voter] of voters.entries()) {
    const path = ['voters', String(at)];
    if (!sites.includes(voter)) yield { path, message: `a voter is a founder, ${known}; got "${voter}"` };
    if (voters.indexOf(voter) < at) yield { path, message: `a voter has one vote, got "${voter}" twice` };
  }
}

function* secured({ tls, secret, nats }: Settings): Generator<Conflict> {
  for (const [key, value] of Object.entries({ tls, secret })) {
    if (nats !== undefined && value !== undefined)
      yield { path: [key], message: "with nats the server's authentication counts: leave it out" };
  }
  if (tls && secret !== undefined)
    yield { path: ['secret'], message: 'tls and secret exclude each other: leave one of them out' };
}

function* order({ timing, limits }: Settings): Generator<Conflict> {
  const rules: readonly (readonly [string, string, string, number, number])[] = [
    ['timing', 'suspectMaxMs', 'at least suspectMinMs', timing.suspectMinMs, timing.suspectMaxMs],
    ['timing', 'electionMaxMs', 'at least electionMinMs', timing.electionMinMs, timing.electionMaxMs],
    // One late heartbeat must not count as a death.
    ['timing', 'failureTimeoutMs', 'at least 2 heartbeatMs', 2 * timing.heartbeatMs, timing.failureTimeoutMs],
    ['limits', 'dialMaxMs', 'at least dialMinMs', limits.dialMinMs, limits.dialMaxMs],
  ];
  for (const [group, key, rule, least, came] of rules)
    if (came < least) yield { path: [group, key], message: `it is ${rule}, ${least}; got ${came}` };
}
