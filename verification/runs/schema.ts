import * as z from 'zod';
import type { RecordLine } from '../../machines/record.ts';

/**
 * The record of docs/trace.md, version 1. The schema is strict: it refuses every key that it does not know.
 */

const site = z.string().min(1);
const seq = z.int().min(1);
const snapshot = z.strictObject({ value: z.unknown(), context: z.unknown() });
const typed = z.looseObject({ type: z.string() });

const startLine = z.strictObject({
  version: z.literal(1),
  kind: z.literal('start'),
  site,
  lock: z.string(),
  at: z.number().min(0).optional(),
  life: z.int().min(0).optional(),
  machine: z.string(),
  input: z.unknown(),
  peers: z.array(site),
  snapshot,
});

const eventLine = z.strictObject({
  version: z.literal(1),
  kind: z.literal('event'),
  site,
  lock: z.string(),
  at: z.number().min(0).optional(),
  seq,
  clock: z.record(site, z.int().min(0)),
  cause: z.strictObject({ site, seq }).nullable(),
  event: typed,
  snapshot,
  effects: z.array(typed),
});

const linkLine = z.strictObject({
  version: z.literal(1),
  kind: z.literal('link'),
  site,
  lock: z.string(),
  at: z.number().min(0).optional(),
  peer: site,
});

export const recordLine = z.discriminatedUnion('kind', [startLine, eventLine, linkLine]);

/** The parsed line, or a text that says why it is invalid. */
export function parseLine(text: string): RecordLine | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `not JSON: ${(error as SyntaxError).message}`;
  }
  const parsed = recordLine.safeParse(json);
  if (parsed.success) return parsed.data as RecordLine;
  return parsed.error.issues
    .map((issue) => `${issue.path.join('.') || 'the line'}: ${issue.message}`)
    .join('; ');
}
