import type { SiteId } from '../actor.ts';

/**
 * The messages that the sketch writes to a socket.
 *
 * - `TOKENREQUEST`: `port` is the requesting site's, set by `sendCSRequest`. No code ever reads it.
 * - `TOKEN`: the right to enter.
 */
export type SketchMessage =
  | { readonly type: 'TOKENREQUEST'; readonly port: SiteId }
  | { readonly type: 'TOKEN' };

/**
 * `globalMessage`: the message that a reader received (`contenu`), and the port of the neighbour whose socket
 * it reads.
 */
export interface GlobalMessage {
  readonly type: 'TOKENREQUEST' | 'TOKEN';
  readonly contenu: SketchMessage;
  readonly port: SiteId;
}

/** `waitMessage`: the message becomes `globalMessage`, under the port of the neighbour that delivered it. */
export function waitMessage(contenu: SketchMessage, source: SiteId): GlobalMessage {
  return { type: contenu.type, contenu, port: source };
}

/**
 * Events that come from no socket: the user at the menu of `main`, and the scheduler that lets a thread run.
 *
 * - `ask`, `quit`: the user's choice 1 and 0.
 * - `enter`, `exit`: the thread `CriticalSection` finds the token and enters; its critical section ends.
 * - `sendToken`, `giveUp`: the thread `sendToken` sends the token; then it updates next, hastoken, cptSC.
 */
export type SketchEvent =
  | GlobalMessage
  | { readonly type: 'ask' | 'quit' | 'enter' | 'exit' | 'sendToken' | 'giveUp' };
