import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/*
 * A complete lock server: `+NAME` waits for a lock, `-NAME` releases it, and the server sends NAME to its new
 * holder.
 */

const queues = new Map<string, Socket[]>();

function giveUp(lock: string): void {
  const queue = queues.get(lock)!;
  queue.shift();
  queue[0]?.write(`${lock}\n`);
}

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    for (const [lock, queue] of queues) {
      const held = queue[0] === socket;
      queues.set(
        lock,
        held ? [socket, ...queue.filter((one) => one !== socket)] : queue.filter((one) => one !== socket),
      );
      if (held) giveUp(lock);
    }
  });
  createInterface({ input: socket }).on('line', (line) => {
    const lock = line.slice(1);
    if (line.startsWith('-')) return giveUp(lock);
    const queue = queues.get(lock) ?? [];
    queues.set(lock, queue);
    if (queue.push(socket) === 1) socket.write(`${lock}\n`);
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
