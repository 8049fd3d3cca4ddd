import { type AnyStateMachine, assign, type EventObject, setup } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import { brokenInvariant, type Rule } from '../../../machines/epoch/invariants.ts';
import type { MembersChange } from '../../../machines/epoch/messages.ts';
import { type SiteContext, type SiteInput, siteMachine } from '../../../machines/epoch/site.ts';
import { siteSetup } from '../../../machines/epoch/steps.ts';
import { configured, isMajority, setOf } from '../../../machines/epoch/variables.ts';
import { always, count, every, reachable, some } from '../../system/properties.ts';
import type {
  ActorSpec,
  ActorView,
  EnvironmentEvent,
  Network,
  Property,
  System,
} from '../../system/system.ts';
import { withoutCount } from './count.ts';
import { elections } from './histories.ts';
import { epochOf, fenceOf, follows, isInside, messages, promiseOf, site, tokens } from './observed.ts';
import { ofElections } from './properties.ts';

/*
 * Epochs of a lock while the voters change (protocol.md, section 4). The sites are `machines/epoch`; one coordinator stands for what
 * `machines/members` decides, which the system `members` checks: it has each configuration acknowledged by a majority of its voters before it
 * writes the next one, whose base covers what they promised (M2, M4). Sites learn of configurations at any time and in their order.
 */

export interface EpochMembersOptions {
  /** The voters of each configuration in turn; the first ones found the lock. A configuration has one voter more or less than the one before. */
  readonly plan: readonly (readonly SiteId[])[];
  /** How many epoch changes there are at most. Default: 1. */
  readonly changes?: number;
  /** Sites that may stand for an epoch. Default: all. */
  readonly stands?: readonly SiteId[];
  /** Sites that may want the lock. Default: all. */
  readonly asks?: readonly SiteId[];
  /** Sites that may crash for good. Default: none. */
  readonly crashes?: readonly SiteId[];
  readonly network?: Network;
  /** `machine` runs in place of the real one: a mutant. */
  readonly machine?: AnyStateMachine;
  /** Is the base raised with each change? Default: true. */
  readonly raisesBase?: boolean;
  /** Do the votes of a candidate outlive the configuration in which they were given? Default: false. */
  readonly keepsVotes?: boolean;
}

const coordinator = 'coordinator';

interface Acknowledge extends EventObject {
  readonly type: 'ACKNOWLEDGE';
  readonly version: number;
  readonly voter: SiteId;
  readonly top: number;
}

interface CoordinatorContext {
  readonly version: number;
  readonly base: number;
  readonly acknowledged: Readonly<Record<SiteId, true>>;
  readonly top: number;
}

/** Writes one configuration of the plan after the other. */
function coordinatorOf(plan: readonly (readonly SiteId[])[], raisesBase: boolean) {
  const votersOf = (version: number) => plan[version - 1]!;
  const typed = setup({
    types: {} as { context: CoordinatorContext; events: Acknowledge | { readonly type: 'write' } },
    actions: {
      send: (_, _params: { target: SiteId; message: MembersChange }) => {},
      countAcknowledgement: assign(({ context }, { voter, top }: Acknowledge) => ({
        acknowledged: { ...context.acknowledged, [voter]: true as const },
        top: Math.max(context.top, top),
      })),
      next: assign(({ context: { version, base, top } }) => ({
        version: version + 1,
        base: version > 0 && raisesBase ? Math.max(base, top) : base,
        acknowledged: {},
        top: 0,
      })),
    },
    guards: {
      ofPresent: ({ context, event }) => event.type === 'ACKNOWLEDGE' && event.version === context.version,
      mayWrite: ({ context: { version, acknowledged } }) =>
        version < plan.length && (version === 0 || isMajority(acknowledged, setOf(votersOf(version)))),
    },
  });
  const tellAll = typed.enqueueActions(({ context: { version, base }, enqueue }) => {
    const voters = votersOf(version);
    const before = votersOf(Math.max(1, version - 1));
    for (const target of new Set([...before, ...voters])) {
      // One that is removed takes part no more, as the runtime has it.
      const joins = version > 1 && before.includes(target) !== voters.includes(target);
      const message = { type: 'configured', term: 1, version, base, voters: setOf(voters), joins } as const;
      enqueue({ type: 'send', params: { target, message } });
    }
  });
  return typed.createMachine({
    id: coordinator,
    context: { version: 0, base: 0, acknowledged: {}, top: 0 },
    on: {
      write: { guard: 'mayWrite', actions: ['next', tellAll] },
      ACKNOWLEDGE: {
        guard: 'ofPresent',
        actions: { type: 'countAcknowledgement', params: ({ event }) => event },
      },
    },
  });
}

/** A site that acknowledges each configuration, with the highest epoch that it promised (M2). */
function acknowledging(machine: AnyStateMachine, keepsVotes: boolean): AnyStateMachine {
  return machine.provide({
    actions: {
      configure: siteSetup.enqueueActions(({ context, enqueue }, params) => {
        const change = params as unknown as MembersChange;
        const { votes, holder } = context;
        enqueue.assign({ ...configured(context, change), ...(keepsVotes && { votes, holder }) });
        if (!(context.self in change.voters)) return;
        const { self, promised } = context;
        const message = { type: 'ACKNOWLEDGE', version: change.version, voter: self, top: promised };
        enqueue({ type: 'send', params: { target: coordinator, message } as never });
      }) as never,
    },
  });
}

const using: readonly EnvironmentEvent[] = [
  { event: { type: 'ask' }, when: (actor) => isMember(actor) && actor.in('client.idle') },
  { event: { type: 'release' }, when: isInside },
];
const standing = (changes: number): EnvironmentEvent => ({
  event: { type: 'suspect' },
  when: (actor) => isMember(actor) && promiseOf(actor) < changes,
});

const isSite = ({ id }: ActorView) => id !== coordinator;
const contextOf = (actor: ActorView): SiteContext => site(actor).context;
const isMember = (actor: ActorView) => actor.id in contextOf(actor).voters;
/** A site that is no member hears only that it is one. */
const isAddedBy = ({ joins, voters }: MembersChange, self: SiteId) => joins && self in voters;

export function epochMembers(options: EpochMembersOptions): System {
  const { plan, changes = 1, crashes = [], machine = siteMachine, raisesBase = true } = options;
  const { keepsVotes = false } = options;
  const { network = { order: 'fifo' } } = options;
  const founders = plan[0]!;
  const names = [...new Set(plan.flat())].sort();
  const { stands = names, asks = names } = options;
  const founder = founders[0]!;
  const running = acknowledging(
    withoutCount(machine).provide({ guards: { answers: () => false } }),
    keepsVotes,
  );
  const founding = (self: SiteId): SiteInput => ({ self, founder, voters: founders, disk: 'none' });
  // It opened the lock before it is a member.
  const joining = (self: SiteId): SiteInput => ({
    ...{ self, founder, voters: [], disk: 'none' },
    membership: { term: 0, version: 0, base: 0 },
  });
  const actor = (self: SiteId): ActorSpec => ({
    machine: running,
    input: founders.includes(self) ? founding(self) : joining(self),
    accepts: (message, actor) =>
      isMember(actor) || (message.type === 'configured' && isAddedBy(message as MembersChange, self)),
    environment: [
      ...(asks.includes(self) ? using : []),
      ...(stands.includes(self) ? [standing(changes)] : []),
    ],
    ...(crashes.includes(self) && { crash: { times: 1 } }),
  });
  return {
    name: 'epoch-members',
    actors: {
      ...Object.fromEntries(names.map((self) => [self, actor(self)])),
      [coordinator]: {
        machine: coordinatorOf(plan, raisesBase),
        environment: [{ event: { type: 'write' } }],
        dead: ({ type }) => type !== 'ACKNOWLEDGE',
      },
    },
    network,
    history: elections,
    outside: ['grant', 'lost', 'elected', 'unheard', 'unexpected'],
    properties: propertiesOf(names, changes, asks.length > 0),
  };
}

/** S2 and S4 with elections under several configurations, S8 and S9 as far as they show in a lock: no epoch is decided again, whatever changed. */
function propertiesOf(names: readonly SiteId[], changes: number, isUsed: boolean): readonly Property[] {
  const ofAll = ofElections(names, changes).filter(({ name }) => shared.includes(name));
  return [
    S1,
    ...ofAll,
    ...rules.map(ofSites),
    ...(changes === 0 ? [] : [electedAfter]),
    reachable(
      'every member holds the last configuration',
      every((actor) => !isSite(actor) || !actor.up || !isMember(actor) || versionOf(actor) > 1),
    ),
    ...(isUsed ? sections : []),
    reachable(
      'two hold different configurations',
      count(
        (actor) => isSite(actor) && actor.up && isMember(actor) && versionOf(actor) > 1,
        (sites) => sites > 0 && sites < names.length,
      ),
    ),
  ];
}

const shared = ['S2', 'S4', 'an epoch has one root'];
const rules: readonly Rule[] = ['L2', 'L3', 'routing', 'promise', 'fence'];

/** A lock that a site opened before it is a member has no part in anything. */
const S1 = always(
  'S1',
  count(
    (actor) => {
      const isPart = isSite(actor) && actor.up && isMember(actor);
      const counted = isPart ? tokens(actor) : messages(actor).filter(({ type }) => type === 'TOKEN');
      return counted.reduce((sum, { epoch }) => sum + 8 ** epoch, 0);
    },
    (sum) => {
      for (let rest = sum; rest > 0; rest = Math.floor(rest / 8)) if (rest % 8 > 1) return false;
      return true;
    },
  ),
);

const versionOf = (actor: ActorView) => contextOf(actor).membership.version;
const isServedAfter = (actor: ActorView) => isSite(actor) && isInside(actor) && versionOf(actor) > 1;

const sections: readonly Property[] = [
  reachable('a site is served after a change', some(isServedAfter)),
  reachable(
    'a section goes on through a change',
    some((actor) => isSite(actor) && isInside(actor) && versionOf(actor) > 1 && fenceOf(actor).epoch === 0),
  ),
];

const electedAfter = reachable(
  'an epoch is adopted after a change',
  some((actor) => isSite(actor) && actor.up && follows(actor) && epochOf(actor) > 0 && versionOf(actor) > 1),
);

function ofSites(rule: Rule): Property {
  const broken = (actor: ActorView) =>
    isSite(actor) && actor.up ? brokenInvariant(site(actor), rule) : null;
  return always(
    rule,
    every((actor) => broken(actor) === null),
    ({ actors }) => actors.flatMap((actor) => broken(actor) ?? []).join('; '),
  );
}
