import type { MailboxHandlers } from '../mailbox/mailbox.ts';

/** For a test that minds only some of what a mailbox tells. */
export const deaf: MailboxHandlers = {
  receive: () => undefined,
  peerChanged: () => undefined,
  beforeWrite: () => undefined,
};
