import { type AnyStateMachine, assign, createMachine, type EventObject } from 'xstate';
import type { NamedAction, SiteId } from '../../../machines/actor.ts';
import { setOf } from '../../../machines/epoch/variables.ts';
import {
  type Change,
  type Configuration,
  compare,
  firstConfiguration,
} from '../../../machines/members/configuration.ts';
import { noDisk } from '../../../machines/members/members.ts';
import type { MembersDisk, MembersMessage } from '../../../machines/members/messages.ts';
import { editorOf } from '../../system/edit.ts';
import type { ActorSpec, ActorView, EnvironmentEvent, Network, System } from '../../system/system.ts';
import { type Options, siteNames } from '../sites.ts';
import { memory } from './histories.ts';
import { canGoOn } from './liveness.ts';
import { type LockContext, type LockMessage, type SiteSettings, withLock } from './lock.ts';
import { propertiesOf } from './properties.ts';

/** The faults and changes of a system. All counts are over a whole run. */
export interface MembersOptions {
  /** `a`, `b`, … in order. */
  readonly founders: number;
  /** Founders and sites that may join. */
  readonly sites: number;
  /** How often these sites stand for the next term. */
  readonly stands: Readonly<Record<SiteId, number>>;
  /** How often these sites stand for the next epoch of the lock. */
  readonly lockStands: Readonly<Record<SiteId, number>>;
  /** No configuration is changed that has come of as many changes as this. */
  readonly changes: number;
  /** The changes that a coordinator may begin. Default: to add or to remove any site. */
  readonly change?: Readonly<Record<SiteId, readonly Change[]>>;
  /** How many voters there may be after a change. Default: any number. */
  readonly sizes?: readonly number[];
  /** Is the token of epoch 0 used? Default: false. */
  readonly first?: boolean;
  /** How often each site crashes and comes back with its disk. Default: 0. */
  readonly restarts?: number;
  /** How these sites come back once from a crash that empties their inbox. Default: none does. */
  readonly crashes?: Readonly<Record<SiteId, 'with disk' | 'emptied' | 'with an old disk'>>;
  /** Whether a site answers when it refuses. Only then does a site that is left behind learn of it. Default: false. */
  readonly refusals?: boolean;
  /** The sites that may tell their configuration to any other, at any time. Default: only its coordinator tells it, to its voters. */
  readonly gossip?: readonly SiteId[];
  /** Is every site in reach of every other, and known to be? Then nobody believes one site alone (M6). Default: none is. */
  readonly reach?: boolean;
  /** A founder that, in place of its part, sends any message to any other, each at most once. */
  readonly liar?: {
    readonly site: SiteId;
    readonly lies: readonly MembersMessage[];
    /** The same name with another id, under which it is answered too. Default: none. */
    readonly alias?: SiteId;
  };
  /** Leave messages that will never be heeded on the network? For machines that heed more. Default: false. */
  readonly keepDead?: boolean;
  /** Is it judged, of every state, whether the rest can go on? Takes much longer. Default: false. */
  readonly liveness?: boolean;
  /** Default: any message may be late, come again, overtake, or never come. */
  readonly network?: Network;
  /** `machine` runs in place of the real one: a mutant. */
  readonly machine?: AnyStateMachine;
}

const contextOf = ({ context }: ActorView) => context as unknown as LockContext;

const unreliable: Network = { order: 'unordered', duplication: 'persistent' };

export function members(options: MembersOptions): System {
  const { founders: count, sites: all, network = unreliable, refusals = false, crashes = {} } = options;
  const ids = Array.from({ length: all }, (_, index) => String.fromCharCode(97 + index));
  const founders = ids.slice(0, count);
  const plain = options.machine ?? withLock();
  const heeding = refusals ? plain : withoutRefusals(plain);
  const machine = options.reach ? heeding : withoutVotedFor(heeding);
  const actor = (self: SiteId): ActorSpec => {
    const first: MembersDisk = founders.includes(self)
      ? { configuration: firstConfiguration(founders), promised: 0, top: 0 }
      : noDisk;
    if (self === options.liar?.site) return lying(options.liar.lies, ids);
    const reach = options.reach ? setOf(ids) : {};
    const input = (disk: MembersDisk): SiteSettings => ({ self, firstRoot: founders[0]!, disk, reach });
    const crash = crashes[self];
    return {
      machine,
      input: input(first),
      environment: environment(self, ids, options),
      ...(options.keepDead ? {} : { dead: isDead(refusals) }),
      ...(crash === undefined
        ? {}
        : {
            crash: { times: 1 },
            restart: {
              input: (disk) =>
                input(
                  crash === 'emptied'
                    ? noDisk
                    : crash === 'with disk'
                      ? ((disk as MembersDisk) ?? first)
                      : first,
                ),
            },
          }),
    };
  };
  return {
    name: 'members',
    actors: {
      ...Object.fromEntries(ids.map((self) => [self, actor(self)])),
      ...(options.liar?.alias === undefined ? {} : { [options.liar.alias]: lying([], ids) }),
    },
    network,
    history: memory,
    // A report to the site, which takes it as the configuration of its locks.
    outside: ['configured'],
    properties: [
      ...propertiesOf(options, ids),
      ...(options.liveness ? [canGoOn(plain, ids, founders, options.reach ?? false)] : []),
    ],
  };
}

function withoutRefusals(machine: AnyStateMachine): AnyStateMachine {
  const parts = ['VOTE_REQUEST.3', 'VOTE_REQUEST.2.actions.1', 'CONFIGURATION.5', 'CONFIGURATION.1'];
  const silent = parts.reduce((left, part) => editorOf(left).remove(`members.on.${part}`), machine);
  return editorOf(silent).replace('members.on.CONFIGURATION.2', { guard: 'bringsOlder' });
}

/** Where no site is in reach, none is doubted, and nothing depends on the candidate that was voted for. */
function withoutVotedFor(machine: AnyStateMachine): AnyStateMachine {
  return machine.provide({
    actions: {
      promise: assign((_, params) => {
        const { term } = params as unknown as { readonly term: number };
        return { promised: term, votes: {}, acknowledged: {} };
      }),
    },
  });
}

/** A member that sends each of `lies` to any site, and does nothing else. */
function lying(lies: readonly MembersMessage[], ids: readonly SiteId[]): ActorSpec {
  const machine = createMachine({
    context: { configuration: null },
    on: {
      lie: {
        actions: {
          type: 'send',
          params: ({ event }: { readonly event: EventObject }) => event as unknown as NamedAction,
        },
      },
    },
  });
  return {
    machine,
    environment: ids.flatMap((target) =>
      lies.map((message) => ({ event: { type: 'lie', target, message } as EventObject, times: 1 })),
    ),
    dead: () => true,
  };
}

function environment(
  self: SiteId,
  ids: readonly SiteId[],
  options: MembersOptions,
): readonly EnvironmentEvent[] {
  const { stands, lockStands, restarts = 0, gossip = [] } = options;
  const events: EnvironmentEvent[] = [];
  const add = (event: object, more: Omit<EnvironmentEvent, 'event'> = {}) =>
    events.push({ event: event as EnvironmentEvent['event'], ...more });
  const isVoter = (site: ActorView) => self in (contextOf(site).configuration?.voters ?? {});
  if (stands[self]) add({ type: 'stand' }, { times: stands[self], when: isVoter });
  if (lockStands[self]) add({ type: 'standLock' }, { times: lockStands[self], when: isVoter });
  if (restarts > 0) add({ type: 'restart' }, { times: restarts });
  if (options.first) add({ type: 'firstGrant' }, { times: 1, when: (site) => contextOf(site).top === 0 });
  const coordinates = (id: SiteId) => stands[id] !== undefined;
  const times = options.network === undefined ? 'unbounded' : 1;
  for (const other of ids) {
    if (other !== self && gossip.includes(self)) {
      add({ type: 'tell', peer: other }, { times, when: (site) => contextOf(site).configuration !== null });
    }
    if (other !== self && coordinates(other)) {
      add({ type: 'join', peer: other }, { times, when: (site) => !isVoter(site) });
    }
  }
  const any = ids.flatMap((id): readonly Change[] => [{ add: id }, { remove: id }]);
  for (const change of coordinates(self) ? (options.change?.[self] ?? any) : []) {
    add({ type: 'change', change }, { when: mayChange(change, options) });
  }
  return events;
}

function mayChange(change: Change, { changes, sizes }: MembersOptions) {
  return (site: ActorView) => {
    if (!site.in('members.ready')) return false;
    const { version, voters } = contextOf(site).configuration!;
    const size = Object.keys(voters).length + ('add' in change ? 1 : -1);
    return version <= changes && (sizes === undefined || sizes.includes(size));
  };
}

/** Whether a site will never heed the message, whatever happens to it: its configuration and its promises only rise. */
const isDead =
  (refused: boolean) =>
  (message: { readonly type: string }, site: ActorView): boolean => {
    const said = message as MembersMessage | LockMessage;
    const { configuration, promised, top, candidacy } = contextOf(site);
    const order = (theirs: Pick<Configuration, 'term' | 'version'>) => compare(theirs, configuration);
    const isVoter = configuration !== null && site.id in configuration.voters;
    const { votes, acknowledged, heard } = contextOf(site);
    switch (said.type) {
      case 'CONFIGURATION':
        if (order(said.configuration) > 0 || refused) return false;
        return order(said.configuration) < 0 || !isVoter || promised > configuration!.term;
      case 'VOTE_REQUEST':
        if (order(said.configuration) > 0 || refused) return false;
        return order(said.configuration) < 0 || !isVoter || said.term <= promised;
      case 'LOCK_VOTE_REQUEST':
        if (order(said.configuration) > 0) return false;
        return order(said.configuration) < 0 || !isVoter || said.epoch <= Math.max(top, configuration!.base);
      case 'VOTE':
        return said.term < promised || !site.in('members.candidate') || said.voter in votes;
      case 'LOCK_VOTE':
        return said.epoch < top || candidacy === null || said.voter in candidacy.votes;
      case 'ACKNOWLEDGE':
        return (
          order(said) < 0 ||
          !(
            site.in('members.committing') ||
            site.in('members.ready') ||
            (site.in('members.following') && !isVoter)
          ) ||
          acknowledged[said.voter] === said.top
        );
      case 'REFUSE':
        return order(said.configuration) <= 0 && said.term <= promised;
      case 'JOIN':
        return said.site in heard;
    }
  };

const made = (term: number, version: number, voters: readonly SiteId[]): Configuration => ({
  ...{ term, version, base: 0 },
  voters: setOf(voters),
});
/** A configuration that nobody has written. */
export const madeUp = made(5, 2, ['b', 'c']);
const elected = made(1, 2, ['c']);

/**
 * Three founders, each in reach of all. `c` asks for a vote and makes up configurations: one that nobody has written, by each message that brings
 * one, and one under the term that it was voted for. `a` changes the members.
 */
export const withLiar = {
  ...{ founders: 3, sites: 3, stands: { a: 1 }, lockStands: {}, changes: 1, reach: true },
  change: { a: [{ remove: 'c' }] },
  liar: {
    site: 'c',
    lies: [
      { type: 'CONFIGURATION', configuration: madeUp, origin: 'c' },
      { type: 'VOTE_REQUEST', term: 6, candidate: 'c', configuration: madeUp },
      { type: 'REFUSE', term: 5, configuration: madeUp },
      { type: 'VOTE_REQUEST', term: 1, candidate: 'c', configuration: made(0, 1, ['a', 'b', 'c']) },
      { type: 'CONFIGURATION', configuration: elected, origin: 'c' },
    ],
  },
} as const satisfies MembersOptions;

/** The same, and the liar makes up one configuration twice: the second time under another id, as if it had lost its data meanwhile. */
export const withLiarOfTwoIds = {
  ...withLiar,
  liar: {
    ...{ site: 'c', alias: 'c/2' },
    lies: ['c', 'c/2'].map((origin) => ({ type: 'CONFIGURATION', configuration: madeUp, origin }) as const),
  },
} satisfies MembersOptions;

/** The smallest fleet that changes, in the size that is asked for: all but the last site found it. */
export function membersOf({ sites, network }: Options): System {
  siteNames({ sites, network });
  return members({
    founders: Math.max(1, sites - 1),
    sites,
    stands: { a: 1 },
    lockStands: { a: 1, b: 1 },
    changes: 1,
    first: true,
    liveness: true,
    network,
  });
}
