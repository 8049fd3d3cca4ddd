import * as z from 'zod';
import { describe } from './describe.ts';

/** A name is not looked up: it may be known later. */
function isHost(value: string): boolean {
  if (value.includes(':')) return z.regexes.ipv6.test(value.replace(/%\w+$/, ''));
  return /^[\d.]+$/.test(value) ? z.regexes.ipv4.test(value) : /^[^\s/?#@[\]]+$/.test(value);
}

const host = describe(
  z.string().refine(isHost),
  'a host is a name or an IP address, with neither a scheme nor a port',
);

const portFrom = (from: 0 | 1) =>
  describe(z.int().min(from).max(65_535), `a port is an integer from ${from} to 65535`);

export const address = (from: 0 | 1, does?: string) =>
  describe(
    z.strictObject({ host, port: portFrom(from) }),
    'an address is { host, port }',
    does === undefined ? {} : { does },
  );

/** An address; each part may be left out. */
export const partOfAddress = describe(
  z.strictObject({ host: host.optional(), port: portFrom(0).optional() }),
  'an address is { host, port }',
);
