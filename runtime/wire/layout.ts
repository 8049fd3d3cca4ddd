import type { Message } from '../../machines/actor.ts';
import type { Configuration } from '../../machines/members/configuration.ts';
import type { Fence } from '../api/fence.ts';
import type { Address } from '../api/peer.ts';

/**
 * How a field of a message is written.
 *
 * - `site`: the name of a site.
 * - `count`: an integer from 0 to 2^53 - 1. `count?`: the same, or `null`.
 * - `flag`: `true` or `false`.
 * - `name`: 1 to 1,024 printable characters (`namePattern`).
 * - `ids`: an id, written as a site's is, for each of some sites.
 * - `configuration`: the voters (`machines/members/configuration.ts`), each by its name and its id.
 * - `addresses`: where some sites listen.
 * - `fence`: the fence of a grant.
 * - `sites`: the names of some sites in their order, none twice.
 */
export type Field =
  | 'site'
  | 'count'
  | 'count?'
  | 'flag'
  | 'name'
  | 'ids'
  | 'configuration'
  | 'addresses'
  | 'fence'
  | 'sites';

type FieldFor<Value> = [Value] extends [boolean]
  ? 'flag'
  : [Value] extends [number]
    ? 'count'
    : [Value] extends [number | null]
      ? 'count?'
      : [Value] extends [string]
        ? 'site' | 'name'
        : [Value] extends [readonly string[]]
          ? 'sites'
          : [Value] extends [Configuration]
            ? 'configuration'
            : [Value] extends [Fence]
              ? 'fence'
              : [Value] extends [Readonly<Record<string, string>>]
                ? 'ids'
                : [Value] extends [Readonly<Record<string, Address>>]
                  ? 'addresses'
                  : never;

/**
 * The words of a protocol as they are written: encoder and decoder both come from it. A message is the place of its
 * `type` in this list, then its fields in the order given here.
 */
export type Layout = Readonly<Record<string, Readonly<Record<string, Field>>>>;

/**
 * The version of the wire that a message came with, where it is not the oldest one. Its code follows the codes of the older messages,
 * which stay as they were.
 */
export type Since = Readonly<Record<string, number>>;

/** The layout of exactly the messages `M`. */
export type LayoutOf<M extends Message> = {
  readonly [Type in M['type']]: {
    readonly [Key in Exclude<keyof Extract<M, { readonly type: Type }>, 'type'>]: FieldFor<
      Extract<M, { readonly type: Type }>[Key]
    >;
  };
};

/** One kind of message, ready to be read and written. */
export interface Shape {
  readonly type: string;
  /** Its place among the messages: those of an older version come first, each version in the order of the layout. */
  readonly code: number;
  /** The version of the wire that it came with; 0: the oldest. */
  readonly since: number;
  readonly keys: readonly string[];
  readonly fields: readonly Field[];
  /** A message of this kind with nothing in it yet. */
  readonly blank: Message & { readonly [key: string]: unknown };
}

const blanks = {
  site: '',
  count: 0,
  'count?': null,
  flag: false,
  name: '',
  ids: {},
  configuration: null,
  addresses: {},
  fence: null,
  sites: [],
} satisfies Record<Field, unknown>;

export function shapesOf(layout: Layout, since: Since = {}): readonly Shape[] {
  const cameWith = (type: string) => since[type] ?? 0;
  const inOrder = Object.entries(layout).sort(([one], [other]) => cameWith(one) - cameWith(other));
  return inOrder.map(([type, fields], code) => ({
    type,
    code,
    since: cameWith(type),
    keys: Object.keys(fields),
    fields: Object.values(fields),
    blank: {
      type,
      ...Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, blanks[field]])),
    },
  }));
}
