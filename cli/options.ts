import { InvalidArgumentError } from 'commander';
import type { Address } from '../runtime/api/peer.ts';

/** Parsers of option values for commander. Each refuses a wrong value and names the expected form. */

export function wholeNumber(from: number, to = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

export function probability(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a probability, a number from 0 to 1.');
}

const units: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `4GiB`, `512MiB`, `65536`. */
export function bytes(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?(|KiB|MiB|GiB)$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('Expected bytes, such as 4GiB, 512MiB or 65536.');
  return Math.round(Number(digits) * units[unit!]!);
}

/** `hashCompact` becomes `--hash-compact`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `127.0.0.1:4002`, `[::1]:4002`. */
export function address(text: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [bracketed ?? plain, Number(digits)];
  if (host === undefined || port > 65_535) {
    throw new InvalidArgumentError(`Expected HOST:PORT, such as 127.0.0.1:4002; "${text}" is not.`);
  }
  return { host, port };
}

/** `127.0.0.1:4801`, or a port of loopback alone. */
export function addressOrPort(text: string): Address {
  return address(/^\d+$/.test(text) ? `127.0.0.1:${text}` : text);
}

/** `a,b,c`. */
export function names(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

/** `a=127.0.0.1:4001,c=127.0.0.1:4003`. */
export function peers(text: string): Readonly<Record<string, Address>> {
  const found: Record<string, Address> = {};
  for (const entry of text.split(',')) {
    const [id, where, ...rest] = entry.trim().split('=');
    if (!id || where === undefined || rest.length > 0) {
      throw new InvalidArgumentError(`Expected ID=HOST:PORT, such as a=127.0.0.1:4001; "${entry}" is not.`);
    }
    if (Object.hasOwn(found, id)) throw new InvalidArgumentError(`${id} is named twice.`);
    found[id] = address(where);
  }
  return found;
}
