import type { Socket } from 'node:net';

/** Closes with a RST and nothing before it. */
export function reset(socket: Socket): void {
  // Node ends a socket first, and so sends a FIN that the other side may see as an orderly end.
  socket.destroySoon = () => socket.destroy();
  socket.resetAndDestroy();
}
