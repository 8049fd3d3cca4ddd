import {
  type Arbitrary,
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
  uniqueArray,
} from 'fast-check';
import type { Message, SiteId } from '../../machines/actor.ts';
import { voterOf } from '../../machines/members/configuration.ts';
import type { Field, Layout } from '../wire/layout.ts';

/** A message of a lock whose numbers are told from the epoch that its receiver has now. */
export type Draft = (epoch: number) => Message;

/** Any message of `layout`, every field of its kind and no more: well-formed, and hardly ever what a correct site says. */
export function anyMessage(layout: Layout, members: readonly SiteId[], self: SiteId): Arbitrary<Draft> {
  const count: Arbitrary<(epoch: number) => number> = oneof(
    {
      weight: 6,
      arbitrary: integer({ min: -1, max: 2 }).map((off) => (epoch: number) => Math.max(0, epoch + off)),
    },
    { weight: 2, arbitrary: integer({ min: 0, max: 8 }).map((value) => () => value) },
    {
      weight: 1,
      arbitrary: constantFrom(2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER).map((value) => () => value),
    },
  );
  // Messages of another founding than that of the test clusters are not taken.
  const generation = oneof({ weight: 8, arbitrary: constant(() => 1) }, count);
  const fields: Readonly<Record<Field, Arbitrary<(epoch: number) => unknown>>> = {
    site: oneof({ weight: 2, arbitrary: constant(self) }, constantFrom(...members)).map((site) => () => site),
    count,
    'count?': oneof(
      { weight: 2, arbitrary: count },
      constant(() => null),
    ),
    flag: boolean().map((value) => () => value),
    name: oneof(
      { weight: 2, arbitrary: constant(voterOf(self, self)) },
      constantFrom(...members.map((name) => voterOf(name, name))),
    ).map((name) => () => name),
    configuration: array(constantFrom(...members), { minLength: 1, maxLength: members.length })
      .chain((named) => record({ term: count, version: count, base: count, named: constant(named) }))
      .map(({ term, version, base, named }) => (epoch: number) => ({
        term: term(epoch),
        version: version(epoch),
        base: base(epoch),
        voters: Object.fromEntries(named.map((name) => [voterOf(name, name), true])),
      })),
    addresses: array(constantFrom(...members), { maxLength: members.length }).map(
      (named) => () => Object.fromEntries(named.map((id) => [id, { host: '127.0.0.1', port: 1 }])),
    ),
    fence: count.map((k) => (epoch: number) => ({ generation: 1, epoch, k: k(epoch) })),
    ids: array(constantFrom(...members), { maxLength: members.length }).map(
      (named) => () => Object.fromEntries(named.map((id) => [id, id])),
    ),
    sites: uniqueArray(constantFrom(...members), { maxLength: members.length - 1 }).map(
      (named) => () => named,
    ),
  };
  const shapes = Object.entries(layout).map(([type, kinds]) =>
    record(
      Object.fromEntries(
        Object.entries(kinds).map(([key, kind]) => [key, key === 'generation' ? generation : fields[kind]]),
      ),
    ).map(
      (drawn): Draft =>
        (epoch) =>
          ({
            type,
            ...Object.fromEntries(Object.entries(drawn).map(([key, of]) => [key, of(epoch)])),
          }) as Message,
    ),
  );
  return oneof(...shapes);
}

/** Some messages in a row. */
export const someMessages = (one: Arbitrary<Draft>): Arbitrary<readonly Draft[]> =>
  array(one, { minLength: 1, maxLength: 30 });
