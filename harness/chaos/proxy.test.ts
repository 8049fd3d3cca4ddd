import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FaultProxy } from './proxy.ts';
import { reset } from './reset.ts';

/** A proxy between `a` and `b`; `b` listens, and keeps the bytes that each of its sockets received. */
async function setUp() {
  const proxy = new FaultProxy(['a', 'b']);
  const atB: End[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => atB.push(new End(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await proxy.open();
  const address = { host: '127.0.0.1', port: (server.address() as { port: number }).port };
  await proxy.up('b', address);
  const ends: End[] = [];
  onTestFinished(async () => {
    for (const { socket } of [...ends, ...atB]) socket.destroy();
    server.close();
    await proxy.close();
  });
  const dial = () => {
    const end = new End(connect({ ...proxy.address('a', 'b') }));
    ends.push(end);
    return end;
  };
  const pair = async () => {
    const index = atB.length;
    const a = dial();
    a.socket.write('hello');
    await vi.waitFor(() => expect(atB[index]?.heard).toBe('hello'));
    return { a, b: atB[index]! };
  };
  return { proxy, server, atB, dial, pair };
}

/** One end of a connection, and the bytes that it received. */
class End {
  readonly socket: Socket;
  heard = '';
  ended = false;
  /** The code of its error, or `closed`. */
  closed: string | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    let code: string | undefined;
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.heard += text;
    });
    socket.on('end', () => {
      this.ended = true;
      socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    socket.on('close', () => {
      this.closed = code ?? 'closed';
    });
  }
}

const aWhile = () => sleep(60);

describe('the fault proxy', () => {
  it('passes bytes and the end of a stream both ways', async () => {
    const { a, b } = await (await setUp()).pair();
    b.socket.write('welcome');
    await vi.waitFor(() => expect(a.heard).toBe('welcome'));
    a.socket.end('bye');
    await vi.waitFor(() => expect([b.heard, b.closed, a.closed]).toEqual(['hellobye', 'closed', 'closed']));
  });

  it('passes a megabyte to a slow reader', async () => {
    const { a, b } = await (await setUp()).pair();
    b.socket.pause();
    a.socket.write('x'.repeat(4_000_000));
    await aWhile();
    b.socket.resume();
    await vi.waitFor(() => expect(b.heard.length).toBe(4_000_005));
  });

  it.each([
    ['RST', 'ECONNRESET'],
    ['FIN', 'closed'],
  ] as const)('cuts with a %s', async (how, seen) => {
    const { proxy, pair } = await setUp();
    const { a, b } = await pair();
    expect(proxy.cut('b', 'a', how)).toBe(1);
    await vi.waitFor(() => expect([a.closed, b.closed]).toEqual([seen, seen]));
    expect([a.ended, b.ended]).toEqual(how === 'FIN' ? [true, true] : [false, false]);
    await vi.waitFor(() => expect(proxy.cut('a', 'b', 'RST')).toBe(0));
  });

  it('cuts a connection whose end is under way, and keeps no socket of it', async () => {
    const { proxy, pair } = await setUp();
    const sockets = () => process.getActiveResourcesInfo().filter((type) => type === 'TCPSocketWrap').length;
    const before = sockets();
    const { a, b } = await pair();
    // Too much for the socket: the end waits behind it.
    b.socket.pause();
    a.socket.end('x'.repeat(8_000_000));
    await aWhile();
    proxy.cut('a', 'b', 'FIN');
    proxy.cut('a', 'b', 'RST');
    b.socket.resume();
    await vi.waitFor(() => expect([a.closed, b.closed]).not.toContain(null));
    await vi.waitFor(() => expect(sockets()).toBe(before));
  });

  it('holds one direction, in order, as long as any holder holds it, and lets the other pass', async () => {
    const { proxy, pair } = await setUp();
    const { a, b } = await pair();
    proxy.hold('a', 'b');
    proxy.hold('a', 'b');
    a.socket.write('1');
    b.socket.write('back');
    await vi.waitFor(() => expect(a.heard).toBe('back'));
    a.socket.end('2');
    await aWhile();
    expect([b.heard, b.ended]).toEqual(['hello', false]);
    proxy.release('a', 'b');
    await aWhile();
    expect([b.heard, b.ended]).toEqual(['hello', false]);
    proxy.release('a', 'b');
    await vi.waitFor(() => expect([b.heard, b.ended]).toEqual(['hello12', true]));
  });

  it('passes no sign of a death in a held direction, before it is released', async () => {
    const { proxy, pair } = await setUp();
    const { a, b } = await pair();
    proxy.hold('b', 'a');
    reset(b.socket);
    await aWhile();
    expect(a.closed).toBe(null);
    proxy.release('b', 'a');
    await vi.waitFor(() => expect(a.closed).toBe('ECONNRESET'));
  });

  it('answers no connection while a direction is held', async () => {
    const { proxy, atB, dial } = await setUp();
    proxy.hold('b', 'a');
    const a = dial();
    a.socket.write('hello');
    await aWhile();
    expect([a.closed, atB.length]).toEqual([null, 0]);
    await proxy.heal();
    await vi.waitFor(() => expect(atB.map(({ heard }) => heard)).toEqual(['hello']));
  });

  it('delays bytes and keeps their order', async () => {
    const { proxy, pair } = await setUp();
    const { a, b } = await pair();
    proxy.delay('a', 'b', 100);
    for (const text of ['1', '2', '3']) a.socket.write(text);
    proxy.delay('a', 'b', 0);
    a.socket.write('4');
    await vi.waitFor(() => expect(b.heard).toBe('hello1234'));
    await proxy.heal();
    proxy.delay('b', 'a', 100);
    const started = performance.now();
    b.socket.write('5');
    await vi.waitFor(() => expect(a.heard).toBe('5'));
    expect(performance.now() - started).toBeGreaterThanOrEqual(99);
  });

  it('loses bytes and sends them again, in order', async () => {
    const { proxy, pair } = await setUp();
    const { a, b } = await pair();
    // This seed loses the first piece once.
    proxy.lose('a', 'b', 50, 3);
    const started = performance.now();
    a.socket.write('1');
    b.socket.write('back');
    await vi.waitFor(() => expect(a.heard).toBe('back'));
    a.socket.write('2');
    await vi.waitFor(() => expect(b.heard).toBe('hello12'), { timeout: 30_000 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(199);
  });

  it('resets after a chosen number of bytes', async () => {
    const { proxy, pair } = await setUp();
    const { a, b } = await pair();
    proxy.cutAfter('a', 'b', 5);
    a.socket.write('123');
    await vi.waitFor(() => expect(b.heard).toBe('hello123'));
    a.socket.write('4567');
    // A reset right after bytes is an end to libuv.
    await vi.waitFor(() => expect([a.closed, b.closed]).toEqual(['ECONNRESET', 'closed']));
    expect(b.heard).toBe('hello12345');
  });

  it('refuses connections, and accepts them again at the same port', async () => {
    const { proxy, pair, dial } = await setUp();
    const { a, b } = await pair();
    await proxy.refuse('a', 'b');
    await proxy.refuse('a', 'b');
    await proxy.accept('a', 'b');
    const refused = dial();
    await vi.waitFor(() => expect(refused.closed).toBe('ECONNREFUSED'));
    a.socket.write('still');
    await vi.waitFor(() => expect(b.heard).toBe('hellostill'));
    await proxy.heal();
    await pair();
  });

  it('refuses connections for a site that is down, and passes its reset on', async () => {
    const { proxy, pair, dial, server } = await setUp();
    const { a, b } = await pair();
    reset(b.socket);
    server.close();
    await vi.waitFor(() => expect(a.closed).toBe('ECONNRESET'));
    // The proxy does not know the address of `b` yet.
    const early = dial();
    await vi.waitFor(() => expect(early.closed).toBe('ECONNRESET'));
    await proxy.down('b');
    const refused = dial();
    await vi.waitFor(() => expect(refused.closed).toBe('ECONNREFUSED'));
  });

  it('closes one side without a sign to the other', async () => {
    const { proxy, pair } = await setUp();
    const { a, b } = await pair();
    proxy.halfOpen('b', 'a');
    await vi.waitFor(() => expect(b.closed).toBe('ECONNRESET'));
    a.socket.write('into the void');
    await aWhile();
    expect([a.closed, b.heard]).toEqual([null, 'hello']);
    expect((await pair()).b).not.toBe(b);
    proxy.cut('a', 'b', 'RST');
    await vi.waitFor(() => expect(a.closed).toBe('ECONNRESET'));
  });

  it('refuses unknown sites', () => {
    expect(() => new FaultProxy(['a', 'b']).hold('a', 'c')).toThrow('no way from a to c');
  });
});
