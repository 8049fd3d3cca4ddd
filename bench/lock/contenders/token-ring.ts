import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Open, Release } from '../client.ts';

/**
 * A process that has not requested the lock for this long keeps the byte until it does: other contenders are
 * being measured.
 */
const restAfterMs = 250;

/**
 * The lower bound: one byte goes around, from each process to the next, requested or not. No process can
 * receive anything from another in less time than one such hop.
 */
export const open: Open = async ({ index, ports }) => {
  let next: Socket | null = null;
  let waiting: (() => void) | null = null;
  let asked = performance.now();
  let rests = false;
  const pass: Release = () => void next!.write('t');
  const arrived = () => {
    if (waiting === null) {
      rests = performance.now() - asked > restAfterMs;
      return rests ? undefined : pass();
    }
    const granted = waiting;
    waiting = null;
    granted();
  };
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', arrived);
  });
  server.listen(ports[index]!, '127.0.0.1');
  await once(server, 'listening');
  next = await dial(ports[(index + 1) % ports.length]!);
  if (index === 0) setTimeout(arrived, 200);
  return {
    acquire: () =>
      new Promise((resolve) => {
        waiting = () => resolve(pass);
        asked = performance.now();
        if (!rests) return;
        rests = false;
        arrived();
      }),
  };
};

async function dial(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    try {
      await once(socket, 'connect');
      socket.on('error', () => socket.destroy());
      return socket;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
