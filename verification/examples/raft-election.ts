import { type Handled, machineOf, toEach } from '../system/handlers.ts';
import { each, role, type Seen, system } from '../system/typed.ts';

/**
 * The election of Raft (D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014), with votes and
 * terms on the disk. A site may time out at any time, messages are late and in any order, and one site crashes once. Terms
 * have no end, so the verdict holds within the explored terms.
 */
type Event = { type: 'timeout' | 'REQUEST_VOTE' | 'VOTE_GRANTED'; from: string; term: number };
type Site = ReturnType<typeof start>;
type Disk = { readonly term?: number; readonly votedFor?: string };
const start = (input: { readonly self: string; readonly peers: readonly string[] } & Disk) => ({
  ...{ term: 0, votedFor: '', ...input },
  role: 'follower' as 'follower' | 'candidate' | 'leader',
  grants: {} as Readonly<Record<string, true>>,
});

/** A later term makes a follower of every site. */
const inTerm = (me: Site, term: number): Site =>
  term > me.term ? { ...me, term, votedFor: '', role: 'follower', grants: {} } : me;
const isElected = ({ peers }: Site, grants: object) => Object.keys(grants).length * 2 > peers.length + 1;

function handles(me: Site, { type, from, term }: Event): Handled<Site> | null {
  if (type === 'timeout') {
    if (me.role === 'leader') return null;
    const next = {
      role: 'candidate',
      term: me.term + 1,
      votedFor: me.self,
      grants: { [me.self]: true },
    } as const;
    return [next, ...toEach(me.peers, { type: 'REQUEST_VOTE', from: me.self, term: next.term })];
  }
  const now = inTerm(me, term);
  if (term < now.term) return [now];
  if (type === 'REQUEST_VOTE') {
    if (now.votedFor !== '' && now.votedFor !== from) return [now];
    return [{ ...now, votedFor: from }, [from, { type: 'VOTE_GRANTED', from: me.self, term }]];
  }
  if (now.role !== 'candidate') return [now];
  const grants = { ...now.grants, [from]: true as const };
  return [{ ...now, grants, role: isElected(now, grants) ? 'leader' : 'candidate' }];
}

const handlers = { timeout: handles, REQUEST_VOTE: handles, VOTE_GRANTED: handles };
export const site = machineOf<Event>()('site', start, handlers, ({ term, votedFor }) => ({ term, votedFor }));

export function raftElection({ sites = 3, terms = 2 } = {}) {
  const ids = Array.from({ length: sites }, (_, index) => `site ${index + 1}`);
  const inputOf = (self: string) => ({ self, peers: ids.filter((id) => id !== self) });
  const siteOf = (self: string) =>
    role(site, {
      input: inputOf(self),
      environment: ['timeout'],
      crash: { times: self === ids[0] ? 1 : 0 },
      restart: { input: (disk) => ({ ...inputOf(self), ...(disk as object) }) },
    });
  return system("Raft's election", each(ids, siteOf))
    .over({ order: 'unordered' })
    .within((_, all) => all.every(({ up, context }) => !up || context.term <= terms))
    .always('at most one leader in a term', (_, all) => {
      const led = all.filter(leads).map(({ context }) => context.term);
      return new Set(led).size === led.length;
    })
    .sometimes('two terms have a leader', (_, all) => all.filter(leads).length === 2)
    .sometimes('a site that has crashed leads', (_, all) => all.some((a) => leads(a) && a.crashes === 1));
}

const leads = ({ up, context }: Seen<typeof site>) => up && context.role === 'leader';

export default raftElection();
