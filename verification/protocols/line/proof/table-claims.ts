import type { AnyStateMachine } from 'xstate';
import { ascending, descending } from '../../../proof/opaque.ts';
import type { TableClaim } from '../../../proof/theory.ts';
import { type Row, rowText, tabulate } from './table.ts';

/* The claims that the table alone decides. */

/** The table must not change with texts as ids, in either order, with other numbers of peers, and with lines of other lengths. */
export function copiesOnly(machine: AnyStateMachine, leave: boolean, rows: readonly Row[]): TableClaim {
  const others = [
    tabulate(machine, leave, { makeId: ascending, between: 1, peers: 3 }),
    tabulate(machine, leave, { makeId: descending, between: 5, peers: 8 }),
  ];
  const shortest = tabulate(machine, leave, { makeId: ascending, between: 0, peers: 2 });
  const text = ({ effect }: Row) => JSON.stringify(effect);
  // Where no entry is between the first and the last one, none can be seen to be copied.
  const withoutMiddles = ({ effect }: Row) =>
    text({ effect } as Row)
      .replaceAll(/"[mq]",?/g, '')
      .replaceAll(',]', ']');
  return {
    claim: 'a step only copies ids and compares them, and sees whether a line is empty',
    broken: rows.flatMap((row, index) =>
      others.every((other) => text(other[index]!) === text(row)) &&
      withoutMiddles(shortest[index]!) === withoutMiddles(row)
        ? []
        : [rowText(row)],
    ),
  };
}

export function tableClaims(rows: readonly Row[]): readonly TableClaim[] {
  const isBroken = (is: (row: Row) => boolean) => rows.filter(is).map(rowText);
  const isInside = (client: string) => client === 'inCS' || client === 'leaving';
  return [
    {
      claim: 'a grant comes with the token, in the critical section',
      broken: isBroken(
        ({ client, effect }) =>
          effect.grants && (effect.client !== 'inCS' || !(effect.token || client === 'inCS')),
      ),
    },
    {
      claim: 'a client enters with a grant',
      broken: isBroken(
        ({ client, effect }) => effect.client === 'inCS' && client !== 'inCS' && !effect.grants,
      ),
    },
    {
      claim: 'a site says that it has left when it has',
      broken: isBroken(
        ({ client, effect }) => effect.leaves !== (effect.client === 'left' && client !== 'left'),
      ),
    },
    {
      claim: 'a leaver asks all others at once, from inside',
      broken: isBroken(
        ({ client, effect }) =>
          (effect.client === 'leaving' && !isInside(client)) ||
          (effect.client === 'leaving' && client !== 'leaving') !==
            effect.sends.some(({ type }) => type === 'LEAVE'),
      ),
    },
    {
      claim: 'a peer is counted out by its LEAVE or GOODBYE alone',
      broken: isBroken(
        ({ kind, effect }) => effect.peers !== 'kept' && kind !== 'LEAVE' && kind !== 'GOODBYE',
      ),
    },
    {
      claim: 'a GOODBYE is the last that a step sends, and answers LEAVE',
      broken: isBroken(({ kind, effect: { sends } }) =>
        sends.some(
          ({ type }, index) => type === 'GOODBYE' && (kind !== 'LEAVE' || index !== sends.length - 1),
        ),
      ),
    },
    {
      claim: 'an event that is unexpected changes nothing',
      broken: isBroken(
        ({ client, token, effect: { unexpected, ...after } }) =>
          unexpected &&
          (after.client !== client ||
            after.token !== token ||
            after.last !== 'kept' ||
            after.line !== 'kept' ||
            after.peers !== 'kept' ||
            after.sends.length > 0),
      ),
    },
    {
      claim: 'a step sends one message of a type at most',
      broken: isBroken(({ effect: { sends } }) =>
        sends.some((one, index) => sends.slice(0, index).some(({ type }) => type === one.type)),
      ),
    },
  ];
}
