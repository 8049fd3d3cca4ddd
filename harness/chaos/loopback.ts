let taken = 0;

/**
 * A port that is given up for a while must not become somebody else's. On Linux all of 127/8 is loopback, so
 * that each caller has an address on which nobody else listens; elsewhere it takes its chance.
 */
export function loopbackOfItsOwn(): string {
  if (process.platform !== 'linux') return '127.0.0.1';
  const low = process.pid & 0xffff;
  taken++;
  return `127.${64 + (taken % 128)}.${low >> 8}.${low & 0xff}`;
}
