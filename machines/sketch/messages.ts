import type { SiteId } from '../actor.ts';

/**
 * What the sketch writes to a socket.
 *
 * - `TOKENREQUEST`: `port` is the asker's, put there by `sendCSRequest`; nobody ever reads it.
 * - `TOKEN`: the right to enter.
 */
export type SketchMessage =
  | { readonly type: 'TOKENREQUEST'; readonly port: SiteId }
  | { readonly type: 'TOKEN' };

/** `globalMessage`: what a reader received (`contenu`), and the port of the neighbour whose socket it reads. */
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
 * What comes from no socket: the user at the menu of `main`, and the scheduler that lets a thread run.
 *
 * - `ask`, `quit`: the user's choice 1 and 0.
 * - `enter`, `exit`: the thread `CriticalSection` finds the token and enters; its critical section ends.
 * - `sendToken`, `giveUp`: the thread `sendToken` sends the token; then updates next, hastoken, cptSC.
 */
export type SketchEvent =
  | GlobalMessage
  | { readonly type: 'ask' | 'quit' | 'enter' | 'exit' | 'sendToken' | 'giveUp' };
