import type { MailboxHandlers } from '../mailbox/mailbox.ts';

/** For a test that needs only some of a mailbox's events. */
export const deaf: MailboxHandlers = {
  receive: () => undefined,
  peerChanged: () => undefined,
  beforeWrite: () => undefined,
};
