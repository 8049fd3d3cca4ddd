import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import type { Disk } from '../../machines/epoch/messages.ts';

/** What a store's file says. */
export interface StoreContent {
  readonly cluster: string;
  readonly site: SiteId;
  /** Counts from 0: that of the process that wrote this. */
  readonly life: number;
  readonly locks: ReadonlyMap<string, Disk>;
}

const count = z.int().min(0);
const schema = z.strictObject({
  version: z.literal(1),
  cluster: z.string(),
  site: z.string(),
  life: count,
  locks: z.array(z.strictObject({ lock: z.string(), promised: count, epoch: count, root: z.string() })),
  checksum: z.string(),
});

/**
 * JSON, a line for each lock in code-unit order, and a checksum (SHA-256) over all that stands before it.
 * There is one way to write a content, so that any other byte anywhere is seen.
 */
export function encode({ cluster, site, life, locks }: StoreContent): Buffer {
  const lines = [...locks]
    .map(([lock, { promised, epoch, root }]) => JSON.stringify({ lock, promised, epoch, root }))
    .sort()
    .map((line) => `\n${line}`);
  const head = JSON.stringify({ version: 1, cluster, site, life }).slice(0, -1);
  const body = `${head},"locks":[${lines.join()}]`;
  return Buffer.from(`${body},"checksum":"${createHash('sha256').update(body).digest('hex')}"}\n`);
}

/** What `bytes` say, or in words what is wrong with them. */
export function decode(bytes: Uint8Array): StoreContent | string {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    return `not JSON: ${(error as SyntaxError).message}`;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    return parsed.error.issues
      .map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`)
      .join('; ');
  }
  const { cluster, site, life, locks } = parsed.data;
  const content = {
    cluster,
    site,
    life,
    locks: new Map(locks.map(({ lock, promised, epoch, root }) => [lock, { promised, epoch, root }])),
  };
  return encode(content).equals(bytes) ? content : 'the checksum is of other content';
}
