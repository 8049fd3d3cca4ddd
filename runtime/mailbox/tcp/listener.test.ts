import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../api/clock.ts';
import { defaultLimits } from '../../options/schema.ts';
import { anyPort } from '../../testing/cluster.ts';
import { eventually } from '../../testing/eventually.ts';
import type { Transport } from '../pipe.ts';
import { Listener } from './listener.ts';
import { plain } from './transport.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A listener with room for four connections; no caller says hello, and every name that is claimed counts as proved. */
async function openDoor(limits = {}) {
  const refused: string[] = [];
  const transport: Transport = {
    ...plain,
    greet:
      ({ stands }) =>
      (socket) =>
        socket.once('data', (name: Buffer) => stands(socket, [name.toString()])),
  };
  const door = new Listener({
    transport,
    limits: { ...defaultLimits, maxHandshakes: 4, ...limits },
    clock: systemClock,
    admit: () => undefined,
    refused: ({ code }) => void refused.push(code),
  });
  await door.open(anyPort, (cause) => {
    throw cause;
  });
  ends.push(() => void door.close());
  const call = async (localAddress = '127.0.0.1') => {
    const socket = connect({ ...door.address, localAddress });
    ends.push(() => void socket.destroy());
    socket.on('error', () => undefined).resume();
    await once(socket, 'connect');
    return socket;
  };
  return { call, refused };
}

const gone = (sockets: readonly Socket[]) => sockets.map(({ closed }) => (closed ? 'x' : '.')).join('');

describe('when all places are taken', () => {
  test('the machine that has the most of them loses its oldest, and nobody else', async () => {
    const { call, refused } = await openDoor();
    const [other, one] = [await call('127.0.0.2'), await call('127.0.0.3')];
    const many: Socket[] = [];
    for (let i = 0; i < 6; i++) many.push(await call());
    await eventually(() => expect(gone(many)).toBe('xxxx..'));
    expect(gone([other, one])).toBe('..');
    expect(refused).toEqual(Array(4).fill('TOO_MANY_HANDSHAKES'));
  });

  test('a connection that has proved a name stays, until the same name is proved again', async () => {
    const { call } = await openDoor();
    const known = await call();
    known.write('a');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const many: Socket[] = [];
    for (let i = 0; i < 6; i++) many.push(await call());
    await eventually(() => expect(gone([known, ...many])).toBe('.xxx...'));
    many[5]!.write('a');
    await eventually(() => expect(gone([known, ...many])).toBe('xxxx...'));
  });

  test('no more than that: with room, all stay until their time is over', async () => {
    const { call, refused } = await openDoor({ maxHandshakes: 100, handshakeTimeoutMs: 200 });
    const many: Socket[] = [];
    for (let i = 0; i < 8; i++) many.push(await call());
    expect(gone(many)).toBe('........');
    expect(refused).toEqual([]);
    await eventually(() => expect(gone(many)).toBe('xxxxxxxx'));
    expect(refused).toEqual(Array(8).fill('HANDSHAKE_TIMEOUT'));
  });
});
