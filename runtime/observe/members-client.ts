import * as z from 'zod';
import { reasonOf } from '../../machines/errors.ts';
import type { MembersAnswer, MembersRequest } from '../../machines/watch.ts';
import type { Membership } from '../api/members.ts';
import { checkWatchUrls } from '../options/calls.ts';
import { closeText } from './lock-reader.ts';

const whole = z.int().min(0);
const answer: z.ZodType<MembersAnswer> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('members'),
    generation: whole.nullable(),
    term: whole.nullable(),
    version: whole.nullable(),
    voters: z.array(
      z.strictObject({
        site: z.string(),
        id: z.string(),
        up: z.boolean(),
        address: z.strictObject({ host: z.string(), port: whole }).nullable(),
        // A site of an earlier release does not say it.
        wireVersion: whole.nullable().default(null),
      }),
    ),
    // Nor does it name its guests.
    guests: z.array(z.string()).default([]),
  }),
  z.strictObject({ type: z.literal('refused'), reason: z.string() }),
]);
const told = z.union([answer, z.looseObject({ type: z.literal('site') })]);

const mostFrameBytes = 1 << 20;
/** Besides the time that the site may take for a change. */
const answerMs = 2_000;

/** The members as the site knows them whose watch port is at `url`, after `change` if there is one; or, in words, why not. */
export async function membersAt(
  url: string,
  request: Omit<MembersRequest, 'type'> = {},
): Promise<Membership | string> {
  checkWatchUrls([url]);
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(url, { maxPayload: mostFrameBytes });
  const waitMs = answerMs + (request.change === undefined ? 0 : (request.timeoutMs ?? 60_000));
  try {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(`no answer within ${waitMs} ms`), waitMs);
      socket.on('close', () => clearTimeout(timer));
      socket.on('error', (error) => resolve(reasonOf(error)));
      socket.on('close', (code, reason) => resolve(closeText(code, reason)));
      socket.on('open', () => socket.send(JSON.stringify({ type: 'members', ...request })));
      socket.on('message', (data) => {
        const heard = parsed(data.toString());
        if (heard === null) resolve('it answers something else than a site does');
        else if (heard.type === 'refused') resolve(heard.reason);
        else if (heard.type === 'members') {
          const { type: _, ...membership } = heard;
          resolve(membership);
        }
      });
    });
  } finally {
    socket.terminate();
  }
}

function parsed(frame: string): MembersAnswer | { readonly type: 'site' } | null {
  try {
    return (told.safeParse(JSON.parse(frame)).data ?? null) as ReturnType<typeof parsed>;
  } catch {
    return null;
  }
}
