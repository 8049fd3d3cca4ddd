import { type AnyStateMachine, assign } from 'xstate';
import type { SiteMessage } from '../../../machines/naimi-trehel/messages.ts';
import { type SiteContext, siteMachine } from '../../../machines/naimi-trehel/site.ts';
import { part, remove, replace } from './edit.ts';

/*
 * The site machine with one mistake in each, which the checker, the replay and the host must find. Never to
 * be run for anything else. A mutant reads as a diff: where in the statechart, and what stands there now.
 */

type At = { readonly context: SiteContext; readonly event: SiteMessage };

const origin = ({ event }: At) => (event.type === 'REQUEST' ? event.origin : null);
const becomeNext = assign({ next: origin, last: origin });
const turn = assign({ last: origin });
const forward = part('routing.forwarding.on.REQUEST.0.actions.0');
const passToken = part('client.inCS.on.release.0.actions.0');

const forwardAsOwn = {
  type: 'send',
  params: ({ context }: At) => ({
    target: context.last,
    message: { type: 'REQUEST', origin: context.self },
  }),
};

/** Mistakes in the algorithm itself, to be refuted on `naimi-trehel`. The first six are published programs'. */
export const mutants = {
  'an idle root copies the token': remove('routing.root.on.REQUEST.0.actions.1'),
  'the neighbour is answered, not the origin': replace(
    'routing.forwarding.on.REQUEST.0.actions.0',
    forwardAsOwn,
  ),
  'variables are reset at every request': replace(
    'routing.forwarding.on.REQUEST.0.actions.1',
    assign({ last: origin, next: null }),
  ),
  'variables are reset when the client asks': replace('client.idle.on.ask.0.actions', [
    'grant',
    'surrenderToken',
  ]),
  'a failed look-up leaves the token given up': remove('routing.root.on.REQUEST.0.actions.0'),
  'a failed look-up leaves last turned': remove('routing.forwarding.on.REQUEST.0.actions.0'),

  'last is turned before the request is passed on': replace('routing.forwarding.on.REQUEST.0.actions', [
    turn,
    forward,
  ]),
  'last is not turned at the root': replace('routing.root.on.REQUEST.1', {
    actions: assign({ next: origin }),
  }),
  'last stays after asking': remove('routing.forwarding.on.ask'),
  'a root stays root after handing over': remove('routing.root.on.REQUEST.0.target'),
  'next is overwritten': replace('routing.forwarding.on.REQUEST', [
    { guard: 'someoneWaits', actions: becomeNext },
    { actions: [forward, turn] },
  ]),
  'a busy root forgets the request': replace('routing.root.on.REQUEST.1.actions', turn),
  'requests are not understood on the way': remove('routing.forwarding.on.REQUEST'),

  'a root hands over from its critical section': replace('routing.root.on.REQUEST.0.guard', 'tokenHere'),
  'an idle root hands over to nobody': remove('routing.root.on.REQUEST.0'),
  'a client enters without the token': replace('client.idle.on.ask', {
    target: 'inCS',
    actions: 'grant',
  }),
  'the token that arrives is not kept': siteMachine.provide({ actions: { keepToken: () => {} } }),
  'the token is kept on release': remove('client.inCS.on.release.0'),
  'the token is sent twice on release': replace('client.inCS.on.release.0.actions', [
    passToken,
    passToken,
    'surrenderToken',
  ]),
  'next stays after the token is passed': siteMachine.provide({
    actions: { surrenderToken: assign({ token: false }) },
  }),
} satisfies Record<string, AnyStateMachine>;

/** No mistake to any rule: the path reversal is what keeps paths short, and only the messages tell. */
export const slowMutants = {
  'last is not turned when a request is passed on': remove('routing.forwarding.on.REQUEST.0.actions.1'),
} satisfies Record<string, AnyStateMachine>;

/** Mistakes in what clients say besides, to be refuted on `naimi-trehel-combined`. */
export const combinedMutants = {
  'a try enters without the token': replace('client.idle.on.try.0.guard', () => true),
  'a client goes on though its token is passed': replace('client.inCS.on.again', [
    { guard: 'someoneWaits', actions: ['grant', passToken, 'surrenderToken'] },
    { actions: 'grant' },
  ]),
  'no client goes on': remove('client.inCS.on.again.actions'),
  'no try succeeds': remove('client.idle.on.try.0'),
} satisfies Record<string, AnyStateMachine>;

/** A mistake in leaving that takes four sites to show. */
export const fourSiteMutants = {
  'a leaver forwards to last': remove('routing.forwarding.on.REQUEST.0.guard'),
} satisfies Record<string, AnyStateMachine>;

/** Mistakes in withdrawing and leaving, to be refuted on `naimi-trehel-leaving`. */
export const leavingMutants = {
  'a request is withdrawn and forgotten': replace('client.requesting.on.withdraw', 'idle'),
  'a withdrawn site keeps the token': remove('client.withdrawn.on.TOKEN.0'),
  'a site leaves with the token': remove('client.inCS.on.leave.0.guard'),
  'a site leaves at the first goodbye': remove('client.leaving.on.GOODBYE.guard'),
  'a leaver keeps its next': replace('client.leaving.on.GOODBYE.actions', [passToken, 'left']),
  'a goodbye is said while last names the leaver': replace('client.idle.on.LEAVE.guard', () => false),
  'a leaver is not counted out': remove('membership.member.on.LEAVE.actions.0'),
  'a leaver waits for one goodbye too many': remove('membership.member.on.GOODBYE'),
} satisfies Record<string, AnyStateMachine>;
