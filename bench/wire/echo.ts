import { once } from 'node:events';
import { mailboxSide, nowhere, type Proofs, rawListener, type Side, transports } from './side.ts';

/**
 * The other process. It sends back every message, over a plain socket and over a mailbox of each transport.
 */
const [proofs] = (await once(process, 'message')) as [Proofs];
const raw = await rawListener(() => raw.send());
const addresses = [];
for (const transport of Object.values(transports('b', proofs.b))) {
  const mailbox: Side = await mailboxSide('b', nowhere, transport, () => mailbox.send());
  addresses.push(mailbox.address);
}
process.send!({ raw: raw.address, mailboxes: addresses });
