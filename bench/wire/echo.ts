import { mailboxSide, nowhere, rawListener } from './side.ts';

/** The other process: sends back whatever comes, over a plain socket and over a mailbox. */
const raw = await rawListener(() => raw.send());
const mailbox = await mailboxSide('b', nowhere, () => mailbox.send());
process.send!({ raw: raw.address, mailbox: mailbox.address });
