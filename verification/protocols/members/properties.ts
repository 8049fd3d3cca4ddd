import type { SiteId } from '../../../machines/actor.ts';
import {
  type Configuration,
  compare,
  firstConfiguration,
  isEqual,
  mayFollow,
} from '../../../machines/members/configuration.ts';
import { always, plain, reachable, relation } from '../../system/properties.ts';
import type { ActorView, Property, StateView } from '../../system/system.ts';
import type { Memory } from './histories.ts';
import type { LockContext } from './lock.ts';
import type { MembersOptions } from './system.ts';

/* The promises of protocol.md, section 4, under its names; and what keeps them from holding in vain. */

type Place = Pick<Configuration, 'term' | 'version'>;

const nothing = () => 0;
const told = ({ history }: StateView) => JSON.stringify(history);

const remembered = (name: string, holds: (memory: Memory) => boolean): Property =>
  always(
    name,
    relation(nothing, (_, history) => holds(history as Memory)),
    told,
  );

const happened = (name: string, is: (memory: Memory) => boolean): Property =>
  reachable(
    name,
    relation(nothing, (_, history) => is(history as Memory)),
  );

const isUnique = (texts: readonly string[]) => new Set(texts).size === texts.length;
const placeText = ({ term, version }: Place) => `${term} ${version}`;

const oneCoordinator = remembered('a term has one coordinator', ({ coordinators }) =>
  isUnique(coordinators.map((text) => text.split(' ')[0]!)),
);

const onePlace = remembered('a term and version is of one configuration', ({ written }) =>
  isUnique(written.map(({ configuration }) => placeText(configuration))),
);

/** A committed configuration is an ancestor of each that is committed later. */
const noneLost = remembered('no committed configuration is lost', ({ written, committed }) => {
  const parents = new Map(written.map(({ configuration, parent }) => [placeText(configuration), parent]));
  const isAncestor = (old: Place, young: Place | undefined): boolean =>
    young !== undefined && (compare(old, young) === 0 || isAncestor(old, parents.get(placeText(young))));
  return committed.every((one) =>
    committed.every((other) => isAncestor(one, other) || isAncestor(other, one)),
  );
});

type Held = Configuration | null | 'down';

/** What S7 says of one state: `held` is what each of `sites` holds, with one object for each configuration. */
export function quorumsMeet(sites: readonly SiteId[], held: readonly Held[]): boolean {
  const quorum = ({ voters }: Configuration) => Math.floor(Object.keys(voters).length / 2) + 1;
  const deciding = [...new Set(held)]
    .filter((one): one is Configuration => one !== null && one !== 'down')
    .filter((one) => sites.some((id, at) => held[at] === one && id in one.voters));
  const available = (one: Configuration) =>
    sites.filter((id, at) => {
      const holds = held[at]!;
      return id in one.voters && holds !== 'down' && compare(holds, one) <= 0;
    });
  return deciding.every((one, index) =>
    deciding.slice(index + 1).every((other) => {
      const [mine, theirs] = [available(one), available(other)];
      if (mine.length < quorum(one) || theirs.length < quorum(other)) return true;
      const common = mine.filter((id) => theirs.includes(id)).length;
      const needed =
        Math.max(0, quorum(one) - (mine.length - common)) +
        Math.max(0, quorum(other) - (theirs.length - common));
      return needed > common;
    }),
  );
}

/**
 * The quorums of any two configurations that can still decide meet: no two sets of sites without a common one could each
 * elect, as each voter counts only where it holds nothing newer.
 */
function S7(sites: readonly SiteId[]): Property {
  // One that is down decides nothing. What it holds when it is back counts then: its disk may be old, or empty.
  const seen: Held[] = [];
  const numbers = new Map<string, number>();
  const numberOf = ({ context, up }: ActorView) => {
    const { configuration } = context as unknown as LockContext;
    const text = up ? JSON.stringify(configuration) : 'down';
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, seen.length);
    seen.push(up ? configuration : 'down');
    return seen.length - 1;
  };
  return always(
    'S7',
    relation(numberOf, (held) =>
      quorumsMeet(
        sites,
        Array.from(held, (number) => seen[number]!),
      ),
    ),
    ({ actors }) => JSON.stringify(actors.map(({ id, context }) => [id, context['configuration']])),
  );
}

const S2 = remembered('S2', ({ elections }) =>
  elections.every((one) => elections.every(({ epoch, by }) => epoch !== one.epoch || by === one.by)),
);

/** An epoch that is decided is above each that was decided before its candidate stood. */
const S8 = remembered('S8', ({ elections, floors }) =>
  elections.every(({ epoch, by }) => epoch > floors[`${epoch} ${by}`]!),
);

/**
 * An epoch that was decided before a change of a committed configuration does not count for a voter that the change
 * adds: it is at most the base, if it was decided under an older configuration than the one that is changed.
 */
const S9 = remembered('S9', ({ written, elections }) =>
  written.every(
    ({ configuration, parent }) =>
      configuration.version === parent.version ||
      elections.every(({ epoch, under }) => compare(under, parent) >= 0 || epoch <= configuration.base),
  ),
);

const isOutside = reachable(
  'a removed site knows that it is agreed on',
  plain(({ actors }) => actors.some((site) => site.in('members.outside'))),
);

const heldBy = ({ actors }: StateView): readonly Configuration[] =>
  actors.flatMap(({ context }) => (context as unknown as LockContext).configuration ?? []);

/** For a system with a liar, which is never a coordinator that writes. */
const ofHonest = (founders: readonly SiteId[]): readonly Property[] => [
  always(
    'M6: a site holds what a coordinator has written',
    plain((state) => {
      const { written } = state.history as Memory;
      const honest = [firstConfiguration(founders), ...written.map(({ configuration }) => configuration)];
      return heldBy(state).every((held) => honest.some((one) => isEqual(one, held)));
    }),
    told,
  ),
  always(
    'M6: each version changes one voter at most',
    plain((state) => heldBy(state).every((held) => mayFollow(held, firstConfiguration(founders)))),
    told,
  ),
];

const oneFirst = remembered('epoch 0 has one root', ({ first }) => first.length <= 1);

export function propertiesOf(
  { founders, changes, lockStands, gossip = [], first = false, liar }: MembersOptions,
  sites: readonly SiteId[],
): readonly Property[] {
  const ofChanges = [
    happened('a change is committed', ({ written, committed }) =>
      committed.some((place) =>
        written.some(
          ({ configuration, parent }) =>
            compare(configuration, place) === 0 && parent.version < configuration.version,
        ),
      ),
    ),
  ];
  const ofEpochs = [
    happened('an epoch is decided after a change', ({ elections }) =>
      elections.some(({ under }) => under.version > 1),
    ),
    happened('a base is above 0', ({ written }) =>
      written.some(({ configuration }) => configuration.base > 0),
    ),
  ];
  return [
    oneCoordinator,
    onePlace,
    noneLost,
    S7(sites),
    S2,
    S8,
    S9,
    ...(first ? [oneFirst] : []),
    ...(liar === undefined ? [] : ofHonest(sites.slice(0, founders))),
    ...(changes > 0 ? ofChanges : []),
    ...(changes > 0 && sites.every((id) => gossip.includes(id)) ? [isOutside] : []),
    ...(changes > 0 && Object.keys(lockStands).length > 0 ? ofEpochs : []),
  ];
}
