import type { Socket } from 'node:net';

/** Closes with a RST and nothing before it; one that has been ended is only closed. */
export function reset(socket: Socket): void {
  // libuv refuses to reset behind a FIN that is under way, and Node then never frees the handle.
  if (socket.writableEnded) {
    socket.destroy();
    return;
  }
  // Node ends a socket first, and so sends a FIN that the other side may see as an orderly end.
  socket.destroySoon = () => socket.destroy();
  socket.resetAndDestroy();
}
