import abd from '../../examples/abd.ts';
import alternatingBit from '../../examples/alternating-bit.ts';
import chang from '../../examples/chang-roberts.ts';
import dining from '../../examples/dining-philosophers.ts';
import msi from '../../examples/msi.ts';
import paxos from '../../examples/paxos.ts';
import peterson from '../../examples/peterson.ts';
import polite from '../../examples/polite-philosophers.ts';
import { raftElection } from '../../examples/raft-election.ts';
import singleCopyRegister from '../../examples/single-copy-register.ts';
import twoPhase from '../../examples/two-phase-commit.ts';
import { epochLiveness } from '../../protocols/epoch/liveness.ts';
import { epochOver } from '../../protocols/epoch/over.ts';
import { epoch } from '../../protocols/epoch/system.ts';
import { line } from '../../protocols/line/system.ts';
import { link } from '../../protocols/link/system.ts';
import { membersOf } from '../../protocols/members/system.ts';
import { naimiTrehel, naimiTrehelLeaving } from '../../protocols/naimi-trehel/system.ts';
import { sketch } from '../../protocols/sketch/system.ts';
import type { Network, System } from '../../system/system.ts';

/* The systems that every other engine is compared on. */

export const network = { order: 'fifo' } as const;

const site = (sites: number, order: Network['order'] = 'fifo', liveness = false) =>
  naimiTrehel({ sites, network: { order }, liveness });

const modules = {
  ABD: abd,
  MSI: msi,
  Paxos: paxos,
  Peterson: peterson,
  "Raft's election, 2 sites": raftElection({ sites: 2 }),
  'single-copy register': singleCopyRegister,
  'alternating bit': alternatingBit,
  'Chang and Roberts': chang,
  'dining philosophers': dining,
  'polite philosophers': polite,
  'two-phase commit': twoPhase,
};

/** Any site may be the root at first: several initial states, which exclude symmetry. */
const rooted = (): System => {
  const { symmetry: _, ...whole } = site(3);
  const ids = Object.keys(whole.actors);
  const starts = ids.map((root) =>
    Object.fromEntries(ids.map((self) => [self, { self, root, peers: ids.length - 1 }])),
  );
  return { ...whole, name: 'naimi-trehel-rooted', starts };
};

export const systems: Readonly<Record<string, System>> = {
  ...(modules as Record<string, System>),
  'naimi-trehel, 4 sites': site(4),
  'naimi-trehel, unordered': site(3, 'unordered'),
  'naimi-trehel, unordered by target': site(3, 'unordered-by-target'),
  'naimi-trehel, each site is served': site(3, 'fifo', true),
  'naimi-trehel, any root': rooted(),
  'naimi-trehel, leaving': naimiTrehelLeaving({ sites: 3, network }),
  line: line({ sites: 3, network }),
  link: link({ sites: 2, network, posts: 2, limit: 1, connections: 1, finishes: [] }),
  'members, 2 sites': membersOf({ sites: 2, network }),
  sketch: sketch({ sites: 2, network }),
  'epoch, 2 sites, crashes and breaks': epoch({
    sites: 2,
    network,
    breaks: 1,
    crashes: 'all',
    restart: 'with disk',
  }),
  'epoch, each site is served, 2 sites': epochLiveness({ sites: 2, network }),
  'epoch, nobody suspects but those that are told, 2 sites': epochOver({ sites: 2, network }),
};
