import * as z from 'zod';

/** The frames that @statelyai/inspect 0.7 sends, each as JSON; only the keys that are shown. */

const typed = z.looseObject({ type: z.string() });
const snapshot = z.looseObject({
  status: z.string().optional(),
  value: z.unknown().optional(),
  context: z.unknown().optional(),
  error: z.unknown().optional(),
});

const statelyEvent = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('@xstate.actor'),
    name: z.string().optional(),
    sessionId: z.string().min(1),
    /** The machine's configuration, as JSON in a string. */
    definition: z.string().optional(),
    snapshot: snapshot.nullish(),
  }),
  z.looseObject({
    type: z.literal('@xstate.event'),
    sessionId: z.string().min(1),
    sourceId: z.string().optional(),
    event: typed,
  }),
  z.looseObject({
    type: z.literal('@xstate.snapshot'),
    sessionId: z.string().min(1),
    event: typed,
    snapshot,
  }),
]);

export type StatelyEvent = z.infer<typeof statelyEvent>;
export type StatelySnapshot = z.infer<typeof snapshot>;

/** The event in a frame; why there is none, as a string. */
export function parseStately(frame: string): StatelyEvent | string {
  let json: unknown;
  try {
    json = JSON.parse(frame);
  } catch {
    return 'expected JSON';
  }
  const parsed = statelyEvent.safeParse(json);
  return parsed.success ? parsed.data : z.prettifyError(parsed.error);
}
