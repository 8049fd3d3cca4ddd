let taken = 0;

/**
 * A loopback address for one caller. No other process may take a port that is given up for a while. On Linux
 * all of 127/8 is loopback, so each caller gets an address on which no other program listens; elsewhere it
 * shares 127.0.0.1.
 */
export function loopbackOfItsOwn(): string {
  if (process.platform !== 'linux') return '127.0.0.1';
  const low = process.pid & 0xffff;
  taken++;
  return `127.${64 + (taken % 128)}.${low >> 8}.${low & 0xff}`;
}
