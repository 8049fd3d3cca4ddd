import { connect, type SecureContextOptions } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { abortBoxes, beliefs, nowhere, openBox } from '../../../testing/box.ts';
import { anyPort } from '../../../testing/cluster.ts';
import { Authority } from '../../../testing/credentials.ts';
import { eventually } from '../../../testing/eventually.ts';
import { transportOf } from '../transport.ts';

const ours = new Authority('test');
const another = new Authority('test');
const own = (site: string) => ({ cluster: 'test', site, listen: anyPort, peers: { a: nowhere, b: nowhere } });
const ended = ours.amended('test', 'b', (commands) => commands.replace('-days 90', '-days -1'));

afterEach(abortBoxes);

test.each<[string, SecureContextOptions, RegExp]>([
  [
    'a certificate that has ended',
    ended,
    /^NOT_AUTHENTICATED: its certificate, which names b, .*: CERT_HAS_EXPIRED$/,
  ],
  ['one of another authority', another.tls('test', 'b'), /, which names b, does not count: /],
  ['none', {}, /^NOT_AUTHENTICATED: it shows no certificate$/],
])('a caller with %s is reported with address and name', async (_, credentials, message) => {
  const transport = transportOf({ ...own('a'), tls: ours.tls('test', 'a') });
  const a = await openBox('a', { b: nowhere }, { transport });
  const caller = connect({ ...a.mailbox.address, ...credentials, rejectUnauthorized: false });
  caller.on('error', () => undefined);
  await new Promise((resolve) => caller.once('secureConnect', resolve));
  const remote = `127.0.0.1:${caller.localPort}`;
  const error = expect.objectContaining({ message: expect.stringMatching(message) });
  await eventually(() => expect(a.notices).toContainEqual({ type: 'error', error, peer: null, remote }));
  await eventually(() => expect(caller.destroyed).toBe(true));
});

test('a peer that is there and proves nothing is silent, and not gone', async () => {
  const quick = { heartbeatMs: 50, failureTimeoutMs: 300, dialMinMs: 5, dialMaxMs: 20 };
  const reserved = await openBox('b', { a: nowhere });
  const { address } = reserved.mailbox;
  await reserved.mailbox.close('closed');
  const transport = transportOf({ ...own('a'), tls: ours.tls('test', 'a') });
  const a = await openBox('a', { b: address }, { transport, ...quick });
  await eventually(() => expect(a.notices).toContainEqual(expect.objectContaining({ type: 'dial-failed' })));
  const stranger = transportOf({ ...own('b'), tls: another.tls('test', 'b') });
  await openBox('b', { a: a.mailbox.address }, { transport: stranger, listen: address, ...quick });
  await eventually(() => expect(beliefs(a)).toEqual(['b silent']));
});
