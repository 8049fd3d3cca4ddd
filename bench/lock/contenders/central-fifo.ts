import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Open } from '../client.ts';

/** The client of `servers/central-fifo.ts`: the cost of a lock with one server and one queue only. */
export const open: Open = async ({ ports }) => {
  const socket = connect({ host: '127.0.0.1', port: ports[0]!, noDelay: true });
  await once(socket, 'connect');
  const waiting = new Map<string, (() => void)[]>();
  createInterface({ input: socket }).on('line', (lock) => waiting.get(lock)!.shift()!());
  return {
    acquire: async (lock) => {
      const line = waiting.get(lock) ?? [];
      waiting.set(lock, line);
      await new Promise<void>((granted) => {
        line.push(granted);
        socket.write(`+${lock}\n`);
      });
      return () => void socket.write(`-${lock}\n`);
    },
  };
};
