import { type AnyStateMachine, assign } from 'xstate';
import type { SiteMessage } from '../../../machines/line/messages.ts';
import { type SiteContext, siteMachine } from '../../../machines/line/site.ts';
import { editorOf } from '../../system/edit.ts';

/* The site machine of the line rule with one mistake in each. A mutant reads as a diff: a path in the statechart and its new value. */

const { part, remove, replace } = editorOf(siteMachine);

type At = { readonly context: SiteContext; readonly event: SiteMessage };

const actions = (named: object): AnyStateMachine => siteMachine.provide({ actions: named });
const handOn = part('client.inCS.on.release.0.actions.0');
const forward = part('routing.forwarding.on.REQUEST.actions.0');

/** TOKEN to the first of `order(line, self)`, with the rest. */
const sendToken = (order: (line: readonly string[], self: string) => readonly string[]) => ({
  type: 'send',
  params: ({ context: { line, self } }: At) => {
    const [target, ...rest] = order(line, self);
    return { target, message: { type: 'TOKEN', line: rest } };
  },
});

/** Mistakes that break a rule of docs/protocol.md, section 2, at three sites on fifo. */
export const mutants = {
  'an idle root copies the token': actions({
    surrenderToken: assign(({ context: { line } }) => ({
      line: [],
      last: (line as readonly string[]).at(-1)!,
    })),
  }),
  'a client enters without the token': replace('client.idle.on.ask', { target: 'inCS', actions: 'grant' }),
  'the token that arrives is not kept': actions({ keepToken: () => {} }),
  'a busy site forgets a request': replace('routing.root.on.REQUEST.1', {}),
  'an idle root hands over to no site': remove('routing.root.on.REQUEST.0'),
  'a site hands over from its critical section': replace('routing.root.on.REQUEST.0.guard', 'tokenHere'),
  'a request is forwarded to no site': remove('routing.forwarding.on.REQUEST.actions.0'),
  'the pointer is turned before the request is forwarded': replace('routing.forwarding.on.REQUEST.actions', [
    'turn',
    forward,
  ]),
  'the pointer stays after asking': remove('routing.forwarding.on.ask'),
  'requests are not understood on the way': remove('routing.forwarding.on.REQUEST'),
  'the token is kept on release': remove('client.inCS.on.release.0'),
  'the token goes without its line': actions({
    send: undefined,
    keepToken: assign({ token: true }),
  }),
  'an entry stands twice': actions({
    surrenderToken: assign(({ context: { line } }) => ({
      token: false,
      line: (line as readonly string[]).slice(1),
      last: (line as readonly string[]).at(-1)!,
    })),
  }),
  'a site that asks again leaves no entry': replace('client.inCS.on.releaseAndAsk.0.actions.0', handOn),
  'a site that asks again keeps its pointer': actions({
    joinLine: assign(({ context: { line } }) => ({
      token: false,
      line: [],
      last: (line as readonly string[]).at(-1)!,
    })),
  }),
} satisfies Record<string, AnyStateMachine>;

/** A mistake that shows where a client withdraws. */
export const withdrawMutants = {
  'a withdrawn site drops the line': replace(
    'client.passing.always.0.actions.0',
    sendToken((line) => line.slice(0, 1)),
  ),
  'a withdrawn site keeps the token': remove('client.passing.always.0'),
} satisfies Record<string, AnyStateMachine>;

/** Every rule of one state holds, and the bound of overtaking does not. */
export const overtakingMutants = {
  'entries of the token go before the own line': actions({
    keepToken: assign(({ context: { line }, event }) => ({
      token: true,
      line: [
        ...(event as unknown as { readonly line: readonly string[] }).line,
        ...(line as readonly string[]),
      ],
    })),
  }),
} satisfies Record<string, AnyStateMachine>;

/** Every rule of one state holds, and a site may wait for ever. */
export const starvingMutants = {
  'a site that asks again goes to the head of the rest': replace(
    'client.inCS.on.releaseAndAsk.0.actions.0',
    sendToken(([first, ...rest], self) => [first!, self, ...rest]),
  ),
  'last is not set to the end of the line': actions({
    surrenderToken: assign(({ context: { line } }) => ({
      token: false,
      line: [],
      last: (line as readonly string[])[0]!,
    })),
  }),
} satisfies Record<string, AnyStateMachine>;

/** Mistakes in leaving. */
export const leavingMutants = {
  'a site leaves with the token': remove('client.inCS.on.leave.0.guard'),
  'a site leaves at the first goodbye': remove('client.leaving.on.GOODBYE.guard'),
  'a leaver keeps the line': replace('client.leaving.on.GOODBYE.actions', [handOn, 'left']),
  'a goodbye is said while last names the leaver': replace('client.idle.on.LEAVE.guard', () => false),
  'a leaver is not counted out': remove('membership.member.on.LEAVE.actions.0'),
  'a leaver waits for one goodbye too many': remove('membership.member.on.GOODBYE'),
} satisfies Record<string, AnyStateMachine>;

/** Mistakes in the events of clients. */
export const combinedMutants = {
  'a try enters without the token': replace('client.idle.on.try.0.guard', () => true),
  'a client goes on though its token is passed': replace('client.inCS.on.again', [
    { guard: 'someoneWaits', actions: ['grant', handOn, 'surrenderToken'] },
    { actions: 'grant' },
  ]),
  'no client goes on': remove('client.inCS.on.again.actions'),
  'no try succeeds': remove('client.idle.on.try.0'),
} satisfies Record<string, AnyStateMachine>;

/**
 * Only a site with the token keeps requests; a waiting site forwards them, as in the published algorithm. A request may then chase
 * the line for ever. It breaks L3 by design and is judged for liveness alone.
 */
export const forwardingMutant: AnyStateMachine = (() => {
  const turned = siteMachine.provide({
    actions: {
      surrenderToken: assign(({ context: { last, line } }) => ({
        token: false,
        line: [],
        last: last ?? line.at(-1)!,
      })),
      keepToken: assign(({ context: { last, line }, event }) => {
        const entries = (event as Extract<SiteMessage, { type: 'TOKEN' }>).line;
        return { token: true, line: [...line, ...entries], last: entries.at(-1) ?? last };
      }),
    },
  });
  return editorOf(
    editorOf(turned).replace('routing.root.on.REQUEST.1', { actions: ['append', 'turn'] }),
  ).replace('routing.forwarding', {
    always: { guard: 'isRoot', target: 'root' },
    on: {
      REQUEST: [{ guard: 'tokenHere', actions: ['append', 'turn'] }, { actions: [forward, 'turn'] }],
      ask: part('routing.forwarding.on.ask'),
    },
  });
})();
