import * as z from 'zod';
import { longestName, type WatchTold } from '../../machines/watch.ts';
import { recordLine } from '../runs/schema.ts';

const site = z.string().min(1).max(64);
const lock = z
  .string()
  .min(1)
  .max(2 * longestName);
const at = z.number();
const snapshot = z.strictObject({ value: z.unknown(), context: z.unknown() });

const told = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('site'),
    version: z.literal(1),
    site,
    machine: z.string(),
    peers: z.array(site),
    locks: z.array(lock),
    count: z.int().min(0),
  }),
  z.strictObject({ type: z.literal('found'), like: z.string(), locks: z.array(lock), more: z.boolean() }),
  z.strictObject({
    type: z.literal('window'),
    lock,
    at,
    now: z.strictObject({ seq: z.int().min(0), snapshot }).nullable(),
    sinceMs: z.number().nullish(),
    stood: z
      .strictObject({
        epoch: z.int().min(0),
        agoMs: z.number(),
        because: z.strictObject({ reason: z.string(), down: z.record(z.string(), z.string()) }),
      })
      .optional(),
  }),
  z.strictObject({ type: z.literal('lines'), lines: z.array(z.tuple([at, recordLine])) }),
  z.strictObject({ type: z.literal('end'), at, why: z.enum(['full', 'slow', 'closed']) }),
]);

/** Parses a frame from a site. Returns a string that describes the error if the frame is invalid. */
export function parseTold(frame: string): WatchTold | string {
  let json: unknown;
  try {
    json = JSON.parse(frame);
  } catch {
    return 'expected JSON';
  }
  const parsed = told.safeParse(json);
  return parsed.success ? (parsed.data as WatchTold) : z.prettifyError(parsed.error);
}
