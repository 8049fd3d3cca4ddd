import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import type { DurableState } from '../../machines/epoch/messages.ts';
import type { FoundingDisk } from '../../machines/members/founding.ts';
import type { MembersDisk } from '../../machines/members/messages.ts';
import type { Address } from '../api/peer.ts';

/** The content of a store's file. */
export interface StoreContent {
  readonly cluster: string;
  readonly site: SiteId;
  /** Counts from 0: that of the process that wrote this. */
  readonly life: number;
  /** Random, made at the first start. The cluster knows this directory by it, whatever the site's name. */
  readonly id: string;
  /** The founding that this id accepted; `null`: none. */
  readonly founding: FoundingDisk | null;
  /** This id's record of the voters; `null`: it knows of no founding. */
  readonly members: MembersRecord | null;
  readonly locks: ReadonlyMap<string, DurableState>;
}

/** A site's durable record of the voters. `top` may be below the promises of the locks, which stand beside it. */
export interface MembersRecord extends MembersDisk {
  /** Generation of the founding that it began with. */
  readonly generation: number;
  /** The first voters, and the first root of every lock; `null`: a voter, by the lock's name. All are names. */
  readonly first: { readonly voters: readonly SiteId[]; readonly root: SiteId | null };
  /**
   * A lock without an entry has promised the next epoch: the highest of the base of the configuration in which this id became a
   * voter and of the promises of locks that were forgotten here (R13). `null`: it founded, and has forgotten none.
   */
  readonly floor: number | null;
  /** Where the others were last. */
  readonly addresses: Readonly<Record<SiteId, Address>>;
}

export interface Written {
  readonly bytes: Buffer;
  /** The checksum of all that stands before the next batch. */
  readonly checksum: string;
}

/** Version of the file. */
export const version = 3;

const count = z.int().min(0);
const locksSchema = z.array(
  z.strictObject({ lock: z.string(), promised: count, epoch: count, root: z.string() }),
);
const schema = z.strictObject({
  version: z.literal(version),
  cluster: z.string(),
  site: z.string(),
  life: count,
  id: z.string(),
  founding: z
    .strictObject({
      generation: count,
      ids: z.record(z.string(), z.string()),
      stage: z.enum(['accepted', 'founded', 'settled', 'superseded']),
    })
    .nullable(),
  members: z
    .strictObject({
      generation: count,
      first: z.strictObject({ voters: z.array(z.string()), root: z.string().nullable() }),
      floor: count.nullable(),
      configuration: z
        .strictObject({
          term: count,
          version: count,
          base: count,
          voters: z.record(z.string(), z.literal(true)),
        })
        .nullable(),
      promised: count,
      top: count,
      addresses: z.record(z.string(), z.strictObject({ host: z.string(), port: count })),
    })
    .nullable(),
  locks: locksSchema,
  checksum: z.string(),
});
const batchSchema = z.strictObject({ locks: locksSchema, checksum: z.string() });

/**
 * JSON, a line for each lock in code-unit order, and a checksum (SHA-256) over all that stands before it.
 * There is one way to write a content, so that any other byte anywhere is seen.
 */
export function encode({ cluster, site, life, id, founding, members, locks }: StoreContent): Written {
  const told = {
    version,
    cluster,
    site,
    life,
    id,
    founding: inOrder(founding),
    members: membersInOrder(members),
  };
  const head = JSON.stringify(told).slice(0, -1);
  return sealed('', `${head},"locks":[${linesOf(locks, '\n').join()}]`);
}

/** The line for the end of the file, with all that has changed since. `before`: the checksum up to there. */
export function encodeBatch(before: string, locks: ReadonlyMap<string, DurableState>): Written {
  return sealed(before, `{"locks":[${linesOf(locks, '').join()}]`);
}

/** The version of the file that they say they are; `null` when they say none. */
export function versionOf(bytes: Uint8Array): number | null {
  const head = /^\{"version":(\d{1,9})[,}]/.exec(Buffer.from(bytes.subarray(0, 32)).toString());
  return head === null ? null : Number(head[1]);
}

/**
 * The content of `bytes`, or in words the fault in them. A last batch that was not written to its end, or has zeros
 * instead, does not count: the power failed before anything could depend on it.
 */
export function decode(bytes: Uint8Array): StoreContent | string {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seal = all.indexOf('],"checksum":"');
  const end = seal < 0 ? -1 : all.indexOf('\n', seal);
  const first = end < 0 ? all : all.subarray(0, end + 1);
  const snapshot = decodeSnapshot(first);
  if (typeof snapshot === 'string') return snapshot;
  const locks = new Map(snapshot.locks);
  let { checksum } = encode(snapshot);
  for (let rest = withoutZeros(all.subarray(first.length)); rest.length > 0; ) {
    const length = rest.indexOf('\n');
    const line = length < 0 ? rest : rest.subarray(0, length);
    if (length < 0 && !sealPattern.test(line.toString())) break;
    const batch = decodeBatch(line, checksum);
    if (typeof batch === 'string') return batch;
    for (const [lock, disk] of batch.locks) locks.set(lock, disk);
    checksum = batch.checksum;
    rest = rest.subarray(line.length + 1);
  }
  return { ...snapshot, locks };
}

const sealPattern = /,"checksum":"[0-9a-f]{64}"\}/;

function decodeSnapshot(bytes: Buffer): StoreContent | string {
  const parsed = parse(bytes, schema);
  if (typeof parsed === 'string') return parsed;
  const { locks, cluster, site, life, id, founding, members } = parsed;
  const content = { cluster, site, life, id, founding, members, locks: mapOf(locks) };
  return encode(content).bytes.equals(bytes) ? content : 'the checksum is of other content';
}

function decodeBatch(line: Buffer, before: string) {
  const parsed = parse(line, batchSchema);
  if (typeof parsed === 'string') return parsed;
  const locks = mapOf(parsed.locks);
  const { bytes, checksum } = encodeBatch(before, locks);
  const isWhole = bytes.subarray(0, -1).equals(line);
  return isWhole ? { locks, checksum } : 'the checksum of a change is of other content';
}

function parse<T>(bytes: Buffer, shape: z.ZodType<T>): T | string {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch (error) {
    return `not JSON: ${(error as SyntaxError).message}`;
  }
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  return parsed.error.issues
    .map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`)
    .join('; ');
}

function inOrder(founding: FoundingDisk | null): FoundingDisk | null {
  if (founding === null) return null;
  const { generation, ids, stage } = founding;
  return { generation, ids: keysInOrder(ids), stage };
}

function membersInOrder(members: MembersRecord | null): MembersRecord | null {
  if (members === null) return null;
  const { generation, first, floor, configuration, promised, top, addresses } = members;
  return {
    generation,
    first: { voters: first.voters, root: first.root },
    floor,
    configuration: configuration && {
      term: configuration.term,
      version: configuration.version,
      base: configuration.base,
      voters: keysInOrder(configuration.voters),
    },
    promised,
    top,
    addresses: keysInOrder(addresses, ({ host, port }) => ({ host, port })),
  };
}

function keysInOrder<T>(of: Readonly<Record<string, T>>, write = (value: T) => value): Record<string, T> {
  const sorted = Object.entries(of).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, value]) => [key, write(value)]));
}

function sealed(before: string, body: string): Written {
  const checksum = createHash('sha256').update(before).update(body).digest('hex');
  return { bytes: Buffer.from(`${body},"checksum":"${checksum}"}\n`), checksum };
}

function linesOf(locks: ReadonlyMap<string, DurableState>, start: string): string[] {
  return [...locks]
    .map(([lock, { promised, epoch, root }]) => JSON.stringify({ lock, promised, epoch, root }))
    .sort()
    .map((line) => `${start}${line}`);
}

function mapOf(locks: z.infer<typeof locksSchema>): Map<string, DurableState> {
  return new Map(locks.map(({ lock, promised, epoch, root }) => [lock, { promised, epoch, root }]));
}

/** No byte that we write is zero: these stand where a file has grown, and its bytes were not there yet. */
function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}
