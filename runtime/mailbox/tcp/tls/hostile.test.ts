import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type SecureContextOptions } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { Address, ClusterOptions, Notice } from '../../../index.ts';
import { abortBoxes, beliefs, nowhere, openBox, post, texts } from '../../../testing/box.ts';
import { anyPort, type Member, openMember } from '../../../testing/cluster.ts';
import { Authority } from '../../../testing/credentials.ts';
import { eventually } from '../../../testing/eventually.ts';
import { data, RawPeer } from '../../../testing/peer.ts';
import { Wiretap } from '../../../testing/wiretap.ts';
import type { Pipe, Transport } from '../../pipe.ts';
import { plain, transportOf } from '../transport.ts';

type Credentials = Pick<ClusterOptions, 'tls' | 'secret'>;

const ours = new Authority('test', 'other');
const another = new Authority('test');
const secret = 'a secret of thirty-two bytes, at least';
const wrongSecret = 'another secret of thirty-two bytes or so';

/** Credentials that prove a site, and credentials that do not. */
interface Proof {
  readonly right: (site: string) => Credentials;
  /** Credentials of a stranger that trusts our sites. */
  readonly wrong: (site: string) => Credentials;
}

const proofs: readonly (readonly [string, Proof])[] = [
  [
    'certificates',
    {
      right: (site) => ({ tls: ours.tls('test', site) }),
      wrong: (site) => ({ tls: { ...another.tls('test', site), ca: ours.ca } }),
    },
  ],
  ['a secret', { right: () => ({ secret }), wrong: () => ({ secret: wrongSecret }) }],
];

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  abortBoxes();
  for (const end of ends.splice(0).reverse()) await end();
});

async function join(site: string, peers: Record<string, Address>, rest: Partial<ClusterOptions>) {
  const member = await openMember({ cluster: 'test', site, listen: anyPort, peers, ...rest });
  ends.push(() => member.cluster.close({ graceful: false }));
  return member;
}

/** Three sites that have held the lock in turn, and an attacker on the network between `a` and `c`. */
async function openWorld(right: (site: string) => Credentials, limits: ClusterOptions['limits'] = {}) {
  const root = { root: 'a', limits };
  const c = await join('c', { a: nowhere, b: nowhere }, { ...root, ...right('c') });
  const tap = await Wiretap.open(c.cluster.address);
  ends.push(() => tap.close());
  const b = await join('b', { a: nowhere, c: c.cluster.address }, { ...root, ...right('b') });
  const a = await join('a', { b: b.cluster.address, c: tap.address }, { ...root, ...right('a') });
  const members = [a, b, c];
  await Promise.all(members.map(({ cluster }) => cluster.ready()));
  await serve(members);
  return { a, b, c, members, tap };
}

/** Each holds the lock once; gives the fences. */
async function serve(members: readonly Member[]) {
  const fences = [];
  for (const { lock } of members) fences.push(await lock.run(({ fence }) => fence));
  return fences;
}

/** All that an attack must leave alone. Times pass in any case. */
function stateOf(members: readonly Member[]) {
  return members.map(({ cluster, lock }) => {
    const { entered, lost, suspicions, elections, sent, received } = cluster.counters();
    const { changedMs: _, waitedMs: __, heldMs: ___, ...still } = lock.status();
    return { ...cluster.status(), ...still, entered, lost, suspicions, elections, sent, received };
  });
}

async function settled(members: readonly Member[]) {
  for (let before = ''; ; ) {
    const now = JSON.stringify(stateOf(members));
    if (now === before) return stateOf(members);
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

/** Only the counts of refusals have changed since `before`, and all goes on. */
async function expectUnmoved(members: readonly Member[], before: ReturnType<typeof stateOf>) {
  expect(await settled(members)).toEqual(before);
  const { epoch } = before[0]!;
  const fences = await serve(members);
  expect(fences.map((fence) => fence.epoch)).toEqual([epoch, epoch, epoch]);
  expect(fences[2]!.k - fences[0]!.k).toBe(2);
}

const refusals = ({ cluster }: Member) => cluster.counters().refused;

/** A socket to `c` that reads everything. */
async function callRaw(address: Address): Promise<Socket> {
  const socket = connectTcp({ ...address });
  socket.on('error', () => undefined).resume();
  ends.push(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** However that comes. */
const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

describe.each(proofs)('sites that prove themselves by %s', (_, { right, wrong }) => {
  const strangers: readonly [string, Partial<ClusterOptions>][] = [
    ['the wrong proof', wrong('a')],
    ['none', {}],
  ];
  test.each(strangers)('a stranger with %s gets nothing and changes nothing', async (_what, theirs) => {
    const { c, members } = await openWorld(right);
    const before = await settled(members);
    const stranger = await join('a', { b: nowhere, c: c.cluster.address }, theirs);
    const told: Notice[] = [];
    stranger.cluster.on('notice', (notice) => told.push(notice));
    await eventually(() => expect(refusals(c).NOT_AUTHENTICATED).toBeGreaterThan(2));
    expect(Object.keys(refusals(c))).toEqual(['NOT_AUTHENTICATED']);
    expect(stranger.cluster.status().connected).toEqual([]);
    expect(stranger.cluster.counters().received).toEqual({});
    expect(told.some(({ type }) => type === 'dial-failed')).toBe(true);
    for (const notice of told)
      if (notice.type === 'dial-failed') expect(notice.reason).not.toMatch(/SSL routines/);
    await expectUnmoved(members, before);
  });

  test('which is seen here: with the right proof the same stranger is heard, as a life of the site that comes too late', async () => {
    const { c, members } = await openWorld(right);
    const before = await settled(members);
    const stranger = await join('a', { b: nowhere, c: c.cluster.address }, { root: 'a', ...right('a') });
    await eventually(() => expect(refusals(c)).toEqual({ PEER_RESTARTED: expect.any(Number) }));
    await stranger.cluster.close({ graceful: false });
    await expectUnmoved(members, before);
  });

  test('a handshake and all that followed, played again to either side', async () => {
    const { c, members, tap } = await openWorld(right);
    const before = await settled(members);
    const again = await callRaw(c.cluster.address);
    for (const chunk of tap.kept.there) again.write(chunk);
    await closed(again);
    expect(refusals(c)).toEqual({ NOT_AUTHENTICATED: 1 });

    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      for (const chunk of tap.kept.back) socket.write(chunk);
    }).listen(anyPort);
    await once(server, 'listening');
    ends.push(() => void server.close());
    const address = { host: anyPort.host, port: (server.address() as { port: number }).port };
    const caller = await join('a', { b: nowhere, c: address }, right('a'));
    await eventually(() => expect(refusals(caller).NOT_AUTHENTICATED).toBeGreaterThan(0));
    expect(caller.cluster.status().connected).toEqual([]);
    await expectUnmoved(members, before);
  });

  test.each(['there', 'back'] as const)(
    'a bit that is flipped on the way %s costs one connection',
    async (way) => {
      const { a, c, members, tap } = await openWorld(right);
      const { entered } = a.cluster.counters();
      tap.flip(way);
      const fences = [...(await serve(members)), ...(await serve(members))];
      await eventually(() => expect(tap.flipped).toBe(true));
      await eventually(() => expect(refusals(way === 'there' ? c : a)).toEqual({ RECORD_CORRUPT: 1 }));
      await eventually(() => expect(a.cluster.status().connected).toEqual(['b', 'c']));
      expect(refusals(way === 'there' ? a : c)).toEqual({});
      expect(a.cluster.counters().entered).toBe(entered + 2);
      expect(fences.map(({ epoch }) => epoch)).toEqual(Array(6).fill(fences[0]!.epoch));
      expect(fences.map(({ k }) => k - fences[0]!.k)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(members.map(({ cluster }) => cluster.counters().suspicions)).toEqual([0, 0, 0]);
      expect(tap.accepted).toBe(2);
    },
  );

  test('silent strangers go, the oldest first', async () => {
    const { c, members } = await openWorld(right, { maxHandshakes: 4 });
    const before = await settled(members);
    const silent: Socket[] = [];
    for (let i = 0; i < 12; i++) silent.push(await callRaw(c.cluster.address));
    await eventually(() => expect(refusals(c)).toEqual({ TOO_MANY_HANDSHAKES: 8 }));
    await eventually(() => expect(silent.map(({ closed }) => closed).indexOf(false)).toBe(8));
    await expectUnmoved(members, before);
  });

  test('silent strangers, however many more come, keep no peer out', async () => {
    const { a, c, members, tap } = await openWorld(right);
    const before = await settled(members);
    const flood = setInterval(() => void callRaw(c.cluster.address), 2);
    ends.push(() => clearInterval(flood));
    await eventually(() => expect(refusals(c).TOO_MANY_HANDSHAKES).toBeGreaterThan(100));
    for (const accepted of [2, 3, 4]) {
      tap.cut();
      await eventually(() =>
        expect([tap.accepted, a.cluster.status().connected]).toEqual([accepted, ['b', 'c']]),
      );
      await serve(members);
    }
    clearInterval(flood);
    expect(refusals(a)).toEqual({});
    expect(Object.keys(refusals(c))).toEqual(['TOO_MANY_HANDSHAKES']);
    expect(stateOf(members).map(({ epoch, lost }) => ({ epoch, lost }))).toEqual(
      before.map(({ epoch }) => ({ epoch, lost: 0 })),
    );
  });

  test('one that takes too long, however busy', async () => {
    const { c, members, tap } = await openWorld(right, { handshakeTimeoutMs: 300 });
    const before = await settled(members);
    const slow = await callRaw(c.cluster.address);
    const bytes = Buffer.concat(tap.kept.there);
    let sent = 0;
    const dribble = setInterval(() => slow.write(bytes.subarray(sent, ++sent)), 5);
    await closed(slow);
    clearInterval(dribble);
    expect(sent).toBeGreaterThan(10);
    expect(refusals(c)).toEqual({ HANDSHAKE_TIMEOUT: 1 });
    await expectUnmoved(members, before);
  });
});

/** `c`, called by a site `a` that goes by `theirs`. */
async function openCalled(called: Transport, theirs: Transport) {
  const c = await openBox('c', { a: nowhere, b: nowhere }, { transport: called });
  const a = await openBox('a', { b: nowhere, c: c.mailbox.address }, { transport: theirs, dialMinMs: 5 });
  return { a, c };
}

/** The transport of one of our sites, under any name. */
const transportFor = (site: string, credentials: Credentials, cluster = 'test') =>
  transportOf({
    cluster,
    site,
    listen: anyPort,
    peers: { a: nowhere, b: nowhere, c: nowhere },
    ...credentials,
  });

/** A client that takes any server for its peer. */
const credulous = (options: SecureContextOptions): Transport => ({
  ...plain,
  call: (address, _, stands) =>
    connectTls(
      { ...address, ...options, rejectUnauthorized: false, checkServerIdentity: () => undefined },
      stands,
    ),
});

describe('a name', () => {
  const c = transportFor('c', { tls: ours.tls('test', 'c') });
  const cases: readonly [string, Transport, Transport, string][] = [
    [
      'of another site than the certificate',
      c,
      transportFor('b', { tls: ours.tls('test', 'b') }),
      'SITE_NOT_PROVEN',
    ],
    [
      'under the certificate of the same site of another cluster',
      c,
      credulous(ours.tls('other', 'a')),
      'SITE_NOT_PROVEN',
    ],
    ['without a certificate', c, credulous({}), 'NOT_AUTHENTICATED'],
    [
      'of another site than the key that was drawn from the secret',
      transportFor('c', { secret }),
      transportFor('b', { secret }),
      'SITE_NOT_PROVEN',
    ],
    [
      'under the secret as another cluster draws from it',
      transportFor('c', { secret }),
      transportFor('a', { secret }, 'other'),
      'NOT_AUTHENTICATED',
    ],
    [
      'under the certificate of an authority, where a secret counts',
      transportFor('c', { secret }),
      credulous(ours.tls('test', 'a')),
      'NOT_AUTHENTICATED',
    ],
  ];
  test.each(cases)('%s is refused', async (_, called, theirs, code) => {
    const { a, c: box } = await openCalled(called, theirs);
    await eventually(() => expect(box.mailbox.refused.get(code as 'SITE_NOT_PROVEN')).toBeGreaterThan(1));
    post(a, 'c', 'never');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([...box.mailbox.refused.keys()]).toEqual([code]);
    expect([box.received, box.changes, a.changes]).toEqual([[], [], []]);
  });

  test.each([
    ['certificate', c, transportFor('a', { tls: ours.tls('test', 'a') })],
    ['certificate, though it believes every name', c, credulous(ours.tls('test', 'a'))],
    ['key', transportFor('c', { secret }), transportFor('a', { secret })],
    ['word, where nothing is to be proved', plain, plain],
  ])('that is its own is met: by its %s', async (_, called, theirs) => {
    const { a, c: box } = await openCalled(called, theirs);
    post(a, 'c', 'hi');
    await eventually(() =>
      expect([beliefs(a), beliefs(box), texts(box)]).toEqual([['c up'], ['a up'], ['hi']]),
    );
    expect([...a.mailbox.refused, ...box.mailbox.refused]).toEqual([]);
  });
});

describe('a stranger that answers in place of the called site', () => {
  const a = (credentials: Credentials) => transportFor('a', credentials);
  const certificates = { tls: ours.tls('test', 'a') };
  const cases: readonly [string, SecureContextOptions | null, Credentials, string][] = [
    ['another site of ours', ours.tls('test', 'b'), certificates, 'SITE_NOT_PROVEN'],
    ['the same site of another cluster', ours.tls('other', 'c'), certificates, 'SITE_NOT_PROVEN'],
    ['another authority', another.tls('test', 'c'), certificates, 'NOT_AUTHENTICATED'],
    ['no TLS', null, certificates, 'NOT_AUTHENTICATED'],
    ['a certificate, and not the secret', ours.tls('test', 'c'), { secret }, 'NOT_AUTHENTICATED'],
    ['no TLS, and not the secret', null, { secret }, 'NOT_AUTHENTICATED'],
  ];
  test.each(cases)('by %s is refused and told nothing', async (_, theirs, credentials, code) => {
    const heard: Buffer[] = [];
    const hear = (socket: Socket) => {
      socket.on('error', () => undefined).on('data', (chunk: Buffer) => heard.push(chunk));
      if (!theirs) socket.write('220 ready\r\n');
    };
    const server = theirs
      ? createTlsServer({ ...theirs, minVersion: 'TLSv1.3' }, hear)
      : createTcpServer(hear);
    await once(server.listen(anyPort), 'listening');
    ends.push(() => void server.close());
    const address = { host: anyPort.host, port: (server.address() as { port: number }).port };
    const box = await openBox('a', { b: nowhere, c: address }, { transport: a(credentials), dialMinMs: 5 });
    await eventually(() => expect(box.mailbox.refused.get(code as 'SITE_NOT_PROVEN')).toBeGreaterThan(1));
    expect([...box.mailbox.refused.keys()]).toEqual([code]);
    expect(box.changes).toEqual([]);
    // With TLS, at most the first flight is sent.
    expect(theirs ? heard : heard.filter((chunk) => chunk[0] !== 0x16)).toEqual([]);
  });

  test('control: a site without TLS accepts the same server', async () => {
    const server = createTlsServer({ ...ours.tls('test', 'b'), minVersion: 'TLSv1.3' }, (socket) =>
      socket.resume(),
    );
    await once(server.listen(anyPort), 'listening');
    ends.push(() => void server.close());
    const { port } = server.address() as { port: number };
    const socket = credulous({}).call({ host: anyPort.host, port }, 'c', () => undefined);
    await once(socket, 'secureConnect');
    socket.destroy();
  });
});

test('a replayed handshake, as a control: without proofs it is accepted', async () => {
  const c = await openBox('c', { a: nowhere, b: nowhere });
  const tap = await Wiretap.open(c.mailbox.address);
  ends.push(() => tap.close());
  const a = await openBox('a', { b: nowhere, c: tap.address });
  post(a, 'c', 'once');
  await eventually(() => expect(texts(c)).toEqual(['once']));
  const again = await callRaw(c.mailbox.address);
  for (const chunk of tap.kept.there) again.write(chunk);
  await eventually(() =>
    expect(c.notices.filter(({ type }) => type === 'connected').length).toBeGreaterThan(1),
  );
  expect([...c.mailbox.refused.keys()]).not.toContain('NOT_AUTHENTICATED');
});

describe('a proved site that then breaks the rules', () => {
  test('many connections: of one site, one is kept that has not said hello', async () => {
    const c = await openBox('c', { a: nowhere, b: nowhere }, { transport: transportFor('c', { secret }) });
    const calls: Pipe[] = [];
    for (const site of ['a', 'a', 'a', 'b', 'a']) {
      const socket = transportFor(site, { secret }).call(c.mailbox.address, 'c', () => undefined);
      ends.push(() => void socket.on('error', () => undefined).destroy());
      await once(socket, 'secureConnect');
      calls.push(socket.resume());
    }
    await eventually(() =>
      expect(calls.map(({ closed }) => closed)).toEqual([true, true, true, false, false]),
    );
  });

  test('a message before the hello', async () => {
    const c = await openBox('c', { a: nowhere, b: nowhere }, { transport: transportFor('c', { secret }) });
    const socket = transportFor('a', { secret }).call(c.mailbox.address, 'c', () => undefined);
    await once(socket, 'secureConnect');
    const peer = RawPeer.over(socket as Socket);
    peer.say(data('a', 'c', { type: 'NOTE', text: 'early' }));
    await peer.closed();
    expect([...c.mailbox.refused]).toEqual([['FRAME_OUT_OF_PLACE', 1]]);
    expect([c.received, c.changes]).toEqual([[], []]);
  });

  test('TLS where there is none', async () => {
    const c = await openBox('c', { a: nowhere, b: nowhere });
    await openBox('a', { b: nowhere, c: c.mailbox.address }, { transport: transportFor('a', { secret }) });
    await eventually(() => expect(c.mailbox.refused.get('FRAME_TOO_LARGE')).toBeGreaterThan(0));
    expect(c.changes).toEqual([]);
  });
});
