import { and, equal, type Formula, no, not, or, type Term } from '../../../proof/formula.ts';
import type { TableClaim } from '../../../proof/theory.ts';
import { before, type State, tokenSomewhere } from './invariant.ts';
import type { Row } from './table.ts';

/*
 * That a waiting site w is served or withdraws, for every number of sites, if each delivery and each release is weakly fair. The rank of a state
 * is three finite parts, and an earlier part goes before a later one:
 *
 *   1. where w's queue is not the token's: the sites that are not below the tail of w's queue, by eff;
 *   2. the sites before w in its queue;
 *   3. whether the token is on its way.
 *
 * Let h be the head of w's queue. In each state one step helps: the delivery of h's REQUEST, of the TOKEN to h, or the release by h. The claims
 * say that the step that helps makes the rank smaller, and that each other step leaves the rank no larger and the same step helpful. Only
 * finitely many such steps are possible, and weak fairness makes each happen.
 */

export interface ProgressClaim {
  readonly claim: string;
  readonly constants: readonly Term[];
  /** The claim's negation. */
  readonly broken: Formula;
}

const headOf = (h: Term, s: State = before) => and(s.queue(h, 'w'), not(s.queued(h)));

/** The claims about one transition. Constants are as in the table; w waits before and after it, and s and s2 are the tails of its queue. */
export function progressClaims({ kind, client }: Row, after: State): readonly ProgressClaim[] {
  const waits = and(before.requesting('w'), after.requesting('w'), before.tail('w', 's'));
  const claim = (name: string, constants: readonly Term[], ...broken: readonly Formula[]): ProgressClaim => ({
    claim: `progress: ${name}`,
    constants: ['w', 's', ...constants],
    broken: and(waits, ...broken),
  });
  const isReceived = (type: Row['kind'], receiver: Formula) => (kind === type ? receiver : no);
  const claims = [
    claim(
      'a site below the tail stays there',
      ['s2', 'x'],
      before.path('x', 's'),
      after.tail('w', 's2'),
      not(after.path('x', 's2')),
    ),
    claim(
      "the head's request stays on its way until it arrives",
      ['h', 'y'],
      headOf('h'),
      before.requestTo('h', 'y'),
      not(isReceived('REQUEST', equal('o', 'h'))),
      not(and(headOf('h', after), after.requestTo('h', 'y'))),
    ),
    claim(
      "in the token's queue no site comes before a waiting one",
      ['h', 'x'],
      headOf('h'),
      tokenSomewhere(before, 'h'),
      after.queue('x', 'w'),
      not(before.queue('x', 'w')),
    ),
    claim(
      "a waiting site in the token's queue stays in it",
      ['h', 'h2'],
      headOf('h'),
      tokenSomewhere(before, 'h'),
      headOf('h2', after),
      not(tokenSomewhere(after, 'h2')),
    ),
    claim(
      'the token stays on its way until it arrives',
      ['h'],
      headOf('h'),
      before.tokenTo('h'),
      not(isReceived('TOKEN', equal('i', 'h'))),
      not(and(headOf('h', after), after.tokenTo('h'))),
    ),
    claim(
      'the head stays in the critical section until it hands the token on',
      ['h'],
      headOf('h'),
      before.token('h'),
      after.queue('h', 'w'),
      not(and(after.token('h'), after.inCS('h'))),
    ),
  ];
  if (kind === 'REQUEST') {
    claims.push(
      claim(
        "the receiver of the head's request comes below the tail",
        ['s2'],
        headOf('o'),
        after.tail('w', 's2'),
        not(after.path('i', 's2')),
      ),
    );
  }
  if (kind === 'TOKEN') {
    claims.push(
      claim(
        'the head enters with the token, or hands it on',
        [],
        headOf('i'),
        after.queue('i', 'w'),
        or(equal('i', 'w'), not(after.token('i')), not(after.inCS('i'))),
      ),
    );
  }
  if (kind === 'release' && client === 'inCS')
    claims.push(claim('a release hands the token on', [], headOf('i'), after.queue('i', 'w')));
  return claims;
}

/** The claims about every state that satisfies the invariant. */
export function progressConsequences(): readonly ProgressClaim[] {
  const claim = (name: string, constants: readonly Term[], ...broken: readonly Formula[]): ProgressClaim => ({
    claim: `progress: ${name}`,
    constants: ['w', 's', 'h', ...constants],
    broken: and(before.requesting('w'), before.tail('w', 's'), headOf('h'), ...broken),
  });
  return [
    claim(
      'the head has a request on its way, or the token, or gets it',
      [],
      not(before.hasRequest('h')),
      not(tokenSomewhere(before, 'h')),
    ),
    claim(
      "the receiver of the head's request is not below the tail",
      ['y'],
      before.requestTo('h', 'y'),
      before.path('y', 's'),
    ),
    claim('a head with the token is in its critical section', [], before.token('h'), not(before.inCS('h'))),
  ];
}

/** The step that helps can be taken. A message can arrive in any state: an unexpected one is refuted by a claim of its own. */
export function progressTableClaim(rows: readonly Row[], text: (row: Row) => string): TableClaim {
  return {
    claim: 'progress: a client can release in its critical section',
    broken: rows
      .filter(({ kind, client, effect }) => kind === 'release' && client === 'inCS' && effect.unexpected)
      .map(text),
  };
}
