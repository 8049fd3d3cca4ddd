import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { listenForHttp, refuseUpgrade } from './http-server.ts';

async function open({ isUpgraded = true } = {}) {
  const http = await listenForHttp({ host: '127.0.0.1', port: 0 }, (_, response) => response.end('hello'));
  onTestFinished(() => http.close());
  if (isUpgraded) http.server.on('upgrade', (_request, socket) => refuseUpgrade(socket, '403 Forbidden'));
  const { port } = http.address;
  const call = () =>
    new Promise<Socket>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket));
      socket.on('error', () => undefined).resume();
      onTestFinished(() => void socket.destroy());
    });
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      http.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  return { url: `http://127.0.0.1:${port}/`, call, connections };
}

const upgrade =
  'GET / HTTP/1.1\r\nHost: x.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nand more';

describe('a server that strangers can call', () => {
  test.each([
    ['a refused upgrade', upgrade],
    ['half a request', 'GET / HTTP/1.1\r\nHo'],
    ['a request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no HTTP', '\0\0\0\0'],
    ['nothing', ''],
  ])('lives on when a caller resets the connection after %s', async (_, said) => {
    const { url, call, connections } = await open();
    for (let i = 0; i < 50; i++) {
      const socket = await call();
      socket.write(said);
      if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      socket.resetAndDestroy();
    }
    expect(await (await fetch(url)).text()).toBe('hello');
    await eventually(async () => expect(await connections()).toBeLessThanOrEqual(1));
  });

  test('keeps no more than 64 connections, and answers one more', async () => {
    const { url, call, connections } = await open();
    const idle: Socket[] = [];
    for (let i = 0; i < 200; i++) idle.push(await call());
    expect(await connections()).toBeLessThanOrEqual(64);
    expect(await (await fetch(url)).text()).toBe('hello');
    await eventually(() => expect(idle.slice(0, 136).every(({ closed }) => closed)).toBe(true));
  });

  test.each([
    ['that it refuses', true],
    ['for which it has no listener', false],
  ])(
    'closes the connection of an upgrade %s, though the caller keeps its side open',
    async (_, isUpgraded) => {
      const { call, connections } = await open({ isUpgraded });
      const held: Socket[] = [];
      for (let i = 0; i < 20; i++) {
        const socket = await call();
        socket.write(upgrade);
        held.push(socket);
      }
      await eventually(async () => expect(await connections()).toBe(0));
      expect(held).toHaveLength(20);
    },
  );
});
