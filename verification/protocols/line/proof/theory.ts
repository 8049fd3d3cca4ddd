import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../../../machines/line/site.ts';
import {
  type Assertion,
  and,
  differ,
  equal,
  exists,
  type Formula,
  fact,
  forAll,
  implies,
  no,
  not,
  or,
  type Query,
  type Term,
} from '../../../proof/formula.ts';
import { assumed, broken, type Conjunct, grouped } from '../../../proof/induction.ts';
import { opaque } from '../../../proof/opaque.ts';
import type { Claim, Step, Theory } from '../../../proof/theory.ts';
import { before, invariant, relations, tokenSomewhere, witnessed } from './invariant.ts';
import {
  orderClaimsAtStart,
  ordered,
  relations as orderedRelations,
  orderRules,
  progressClaims,
  progressConsequences,
  progressTableClaim,
} from './progress.ts';
import { isIn, networkAfterReceipt, startState, startsAs, stateAfter, stepConstants } from './step.ts';
import { type Client, type Kind, type Row, startOf, stepText, tabulate } from './table.ts';
import { copiesOnly, tableClaims } from './table-claims.ts';

export interface LineTheoryOptions {
  readonly machine?: AnyStateMachine;
  /** Sites also leave; then channels are fifo. Default: false. */
  readonly leave?: boolean;
}

/**
 * That L1 to L3, T and one token are inductive under the line rule for every number of sites, on any network that neither loses nor doubles a
 * message, where clients ask, try, release, release and ask, go on and withdraw. The transitions are those of the statechart's table.
 */
export function lineTheory({ machine = siteMachine, leave = false }: LineTheoryOptions = {}): Theory {
  const rows = tabulate(machine, leave, { makeId: opaque, between: 2, peers: 2 });
  const theory = new LineTheory(leave);
  return {
    rows: rows.length,
    table: [
      copiesOnly(machine, leave, rows),
      ...tableClaims(rows),
      ...(leave ? [] : [progressTableClaim(rows)]),
    ],
    steps: [
      theory.start(machine),
      ...grouped(rows, messages).map((group) => theory.transition(group)),
      theory.coverage(),
      consequences(invariant(before, leave), leave ? null : orderRules(ordered)),
    ],
  };
}

/** Rows that start with one event in one client state, with lines of one shape, and have one effect. */
type Group = readonly [Row, ...Row[]];

const messages: readonly Kind[] = ['TOKEN', 'REQUEST', 'LEAVE', 'GOODBYE'];

class LineTheory {
  readonly #leave: boolean;
  readonly #assumed: readonly Assertion[];

  constructor(leave: boolean) {
    this.#leave = leave;
    this.#assumed = assumed(invariant(before, leave));
  }

  /** A star around the root. */
  start(machine: AnyStateMachine): Step {
    const s = startState(startOf(machine, opaque, true), startOf(machine, opaque, false));
    const constants = ['root'];
    const claims: Claim[] = invariant(s, this.#leave).map((conjunct) => {
      const { constants: sites, assertion } = broken(conjunct);
      return {
        claim: conjunct.name,
        query: { relations, constants: [...constants, ...sites], assertions: [assertion] },
      };
    });
    for (const { name, where, exists } of witnessed(s)) {
      const assertions = [fact(where('a')), forAll((y) => not(exists('a', y)))];
      claims.push({ claim: name, query: { relations, constants: [...constants, 'a'], assertions } });
    }
    claims.push({
      claim: 'a token exists',
      query: { relations, constants, assertions: [forAll((x) => not(tokenSomewhere(s, x)))] },
    });
    if (!this.#leave) {
      for (const { claim, constants: sites, assertions } of orderClaimsAtStart(s))
        claims.push({
          claim,
          query: { relations: orderedRelations, constants: [...constants, ...sites], assertions },
        });
    }
    return { step: 'start', claims };
  }

  /** A step on `kind` may assume this: the invariant, its existential part at the sites of the step, and the message. */
  #assumptions(kind: Kind): readonly Assertion[] {
    const requestsFrom = (sender: Term) =>
      forAll((x) => not(and(before.requestTo(x, 'i'), before.requestBy(x, sender))));
    return [
      ...this.#assumed,
      ...witnessed(before)
        .slice(0, 1)
        .map(({ where, exists }) => fact(implies(where('i'), exists('i', 'l')))),
      fact(tokenSomewhere(before, 'k')),
      ...(kind === 'REQUEST' ? [fact(before.requestTo('o', 'i'))] : []),
      ...(kind === 'TOKEN' ? [fact(before.tokenTo('i'))] : []),
      // On a fifo channel all that o sent before has arrived.
      ...(kind === 'LEAVE' ? [fact(before.leaveTo('o', 'i')), requestsFrom('o')] : []),
      ...(kind === 'GOODBYE' ? [fact(before.goodbyeTo('o', 'i')), requestsFrom('o')] : []),
    ];
  }

  transition(rows: Group): Step {
    const [{ kind, client, effect }] = rows;
    const step = stepText(rows[0]);
    const assertions: readonly Assertion[] = [
      ...this.#assumptions(kind),
      fact(before[client]('i')),
      fact(or(...rows.map(startsAs))),
    ];
    const query = (constants: readonly Term[], ...more: readonly Assertion[]): Query => ({
      relations,
      constants: [...stepConstants, ...constants],
      assertions: [...assertions, ...more],
    });
    const toNobody = effect.sends.some((send) => Object.values(send).includes('nil'));
    const nowhere = !isClient(effect.client);
    if (effect.unexpected || toNobody || nowhere) {
      const { constants, assertions } = nextBelow('o');
      const possible = kind === 'GOODBYE' ? query(constants, ...assertions) : query([]);
      return { step, possible, mustBeImpossible: true, claims: [] };
    }
    const after = stateAfter(rows[0]);
    const claims: Claim[] = [];
    const claim = (name: string, constants: readonly Term[], ...more: readonly Assertion[]) =>
      claims.push({ claim: name, query: query(constants, ...more) });

    if (!effect.routed) claim('routing is root exactly when last is nil', []);
    // A message is counted by a relation: it must not be on its way already. So is an entry of a line.
    const network = networkAfterReceipt(kind);
    const lines = [...(effect.line === 'kept' ? [] : [effect.line])];
    for (const send of effect.sends) {
      if (send.type === 'TOKEN') {
        claim('one TOKEN on its way', ['a'], fact(network.tokenTo('a')));
        lines.push(send.line);
      } else if (send.type === 'REQUEST') {
        claim('no second REQUEST of an origin', ['a'], fact(network.requestTo(send.origin, 'a')));
        claim('no REQUEST back to its origin', [], fact(equal(send.origin, send.target)));
        if (this.#leave) {
          const isBehind = or(before.goodbyeTo('i', send.target), before.leaveTo('i', send.target));
          claim('no REQUEST behind a GOODBYE or LEAVE', [], fact(isBehind));
        }
      } else if (send.type === 'GOODBYE') {
        claim('a GOODBYE answers the leaver', [], fact(differ(send.target, 'o')));
      } else claim('a LEAVE names the leaver', [], fact(differ(send.leaver, 'i')));
    }
    for (const line of lines) {
      const twice = line.flatMap((piece, index) =>
        line.slice(index + 1).map((other) => and(isIn(piece, 'a'), isIn(other, 'a'))),
      );
      if (twice.length > 0) claim('L2: a line names a site once', ['a'], fact(or(...twice)));
    }
    if (effect.peers === 'one less')
      claim('a peer that is counted out was counted', [], fact(not(before.counts('i', 'o'))));
    for (const conjunct of invariant(after, this.#leave)) {
      const { constants, assertion } = broken(conjunct);
      const below = effect.client === 'left' && kind === 'GOODBYE' ? constants.map(nextBelow) : [];
      claim(
        conjunct.name,
        [...constants, ...below.flatMap(({ constants }) => constants)],
        assertion,
        ...below.flatMap(({ assertions }) => assertions),
      );
    }
    const known = witnessed(before);
    for (const [index, { name, where, exists }] of witnessed(after).entries()) {
      const had = known[index]!;
      // Before the step site a has its witness b; after it, no site is one for a.
      claim(
        name,
        ['a', 'b'],
        fact(implies(had.where('a'), had.exists('a', 'b'))),
        fact(where('a')),
        forAll((y) => not(exists('a', y))),
      );
    }
    claim(
      'a token exists',
      [],
      forAll((x) => not(tokenSomewhere(after, x))),
    );
    if (!this.#leave) {
      for (const { claim, constants, assertions } of progressClaims(rows[0], after)) {
        const { relations: _, ...safe } = query(constants, ...assumed(orderRules(ordered)), ...assertions);
        claims.push({ claim, query: { relations: orderedRelations, ...safe } });
      }
    }
    return { step, possible: query([]), claims };
  }

  /** The table has a row for each state: entries of lines are other sites than those with a name. */
  coverage(): Step {
    const kinds = [...messages.slice(0, this.#leave ? 4 : 2), 'ask' as const];
    return {
      step: 'the rows of the table are all',
      claims: kinds.map((kind): Claim => {
        const isNamed = or(
          equal('a', 'i'),
          before.last('i', 'a'),
          kind === 'REQUEST' || kind === 'LEAVE' ? equal('a', 'o') : no,
        );
        const isEntry = or(
          and(before.inLine('i', 'a'), or(isNamed, kind === 'TOKEN' ? before.onToken('a') : no)),
          kind === 'TOKEN' ? and(before.onToken('a'), isNamed) : no,
        );
        return {
          claim: `${kind === 'ask' ? 'an event of the client' : kind}: an entry of a line is no other site of the step`,
          query: {
            relations,
            constants: [...stepConstants, 'a'],
            assertions: [...this.#assumptions(kind), fact(isEntry)],
          },
        };
      }),
    };
  }
}

/** The consequences of these conjuncts, and from those about the order of lines, without a step. */
export function consequences(conjuncts: readonly Conjunct[], order: readonly Conjunct[] | null): Step {
  const query = (constants: readonly Term[], ...facts: readonly Formula[]): Query => ({
    relations,
    constants,
    assertions: [...assumed(conjuncts), ...facts.map(fact)],
  });
  const isInside = (x: Term) => or(before.inCS(x), before.leaving(x));
  const parents = (x: Term) =>
    or(before.hasLast(x), before.hasRequest(x), before.lined(x), before.onToken(x));
  const progress = order === null ? [] : progressConsequences();
  return {
    step: 'consequences',
    claims: [
      {
        claim: 'mutual exclusion',
        query: query(['a', 'b'], isInside('a'), isInside('b'), differ('a', 'b')),
      },
      {
        claim: 'T: a site without a parent has the token or gets it',
        query: query(['a'], not(parents('a')), not(tokenSomewhere(before, 'a')), not(before.left('a'))),
      },
      {
        claim: 'the token has no entries while it is here',
        query: query(['a', 'b'], before.onToken('a'), before.token('b')),
      },
      {
        claim: 'the invariant can hold, with two sites',
        query: query(['a', 'b', 'k'], differ('a', 'b'), tokenSomewhere(before, 'k')),
        expect: 'sat',
      },
      ...progress.map(
        ({ claim, constants, assertions, expect }): Claim => ({
          claim,
          query: {
            relations: orderedRelations,
            constants,
            assertions: [...assumed(conjuncts), ...assumed(order ?? []), ...assertions],
          },
          ...(expect === undefined ? {} : { expect }),
        }),
      ),
    ],
  };
}

/**
 * Sites are finitely many, so on the path from x, below the root i, there is a site next below i: `xBelow`. Its parent is then i. `xSender` sent the
 * request of x.
 */
function nextBelow(x: Term): {
  readonly constants: readonly Term[];
  readonly assertions: readonly Assertion[];
} {
  const { path, hasLast, last, lined, inLine, hasRequest, requestTo, requestBy } = before;
  const c = `${x}Below`;
  const isBelow = and(path(x, 'i'), differ(x, 'i'));
  const senderOf = (site: Term) => fact(implies(hasRequest(site), requestBy(site, `${site}Sender`)));
  return {
    constants: [c, `${x}Sender`, `${c}Sender`],
    assertions: [
      fact(implies(isBelow, and(path(x, c), differ(c, 'i')))),
      forAll((y) => implies(and(isBelow, path(c, y)), or(equal(y, c), equal(y, 'i')))),
      fact(
        implies(
          hasLast(c),
          exists((y) => last(c, y)),
        ),
      ),
      fact(
        implies(
          lined(c),
          exists((y) => inLine(y, c)),
        ),
      ),
      fact(
        implies(
          hasRequest(c),
          exists((y) => requestTo(c, y)),
        ),
      ),
      senderOf(x),
      senderOf(c),
    ],
  };
}

function isClient(client: string): client is Client {
  return Object.hasOwn(before, client);
}
