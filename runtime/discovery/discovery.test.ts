import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { OperatingError } from '../api/errors.ts';
import type { Address } from '../api/peer.ts';
import { systemClock } from '../index.ts';
import { eventually } from '../testing/eventually.ts';
import { type Discovery, fromFunction, isDiscovery, parseAddress, sourceOf } from './discovery.ts';
import { fromDns } from './dns.ts';
import { fromFile } from './file.ts';

function watch(discovery: Discovery) {
  const found: (readonly string[])[] = [];
  const failures: OperatingError[] = [];
  const stop = sourceOf(discovery).watch({
    found: (addresses) => found.push(addresses.map(({ host, port }) => `${host}:${port}`)),
    failed: (error) => failures.push(error),
    clock: systemClock,
  });
  onTestFinished(stop);
  return { found, failures, stop };
}

const last = <T>(all: readonly T[]) => expect.poll(() => all.at(-1));

test('addresses are a host and a port, the host of IPv6 in brackets', () => {
  expect(parseAddress('a.example:7000')).toEqual({ host: 'a.example', port: 7000 });
  expect(parseAddress('[::1]:7000')).toEqual({ host: '::1', port: 7000 });
  for (const wrong of ['a', 'a:0', 'a:70000', ':1', '::1:7000', 'a b:1', 7, null, {}])
    expect(isDiscovery([wrong])).toBe(false);
  expect(isDiscovery([])).toBe(false);
  expect(isDiscovery(['a:1', { host: 'b', port: 2 }])).toBe(true);
  expect(watch(['a:1', { host: 'b', port: 2 }]).found).toEqual([['a:1', 'b:2']]);
});

test('a function is asked again, and what it cannot find now stays', async () => {
  let answer: readonly (string | Address)[] | Error = ['a:1'];
  const { found, failures, stop } = watch(
    fromFunction(
      async () => {
        if (answer instanceof Error) throw answer;
        return answer;
      },
      { everyMs: 5 },
    ),
  );
  await last(found).toEqual(['a:1']);
  answer = new Error('the registry is down');
  await expect.poll(() => failures.length).toBeGreaterThan(1);
  expect(failures[0]).toMatchObject({ code: 'DISCOVERY_FAILED' });
  expect(failures[0]!.message).toContain('the registry is down');
  answer = ['b:2', 'a:1'];
  await last(found).toEqual(['a:1', 'b:2']);
  // Another order, and one twice.
  answer = ['a:1', 'b:2', 'a:1'];
  await eventually(() => {});
  answer = ['wrong'];
  await expect.poll(() => failures.at(-1)?.message).toContain('expected "host:port"');
  expect(found).toEqual([['a:1'], ['a:1', 'b:2']]);
  stop();
});

test('a file is followed, also when another takes its place', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-discovery-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'members');
  const { found, failures } = watch(fromFile(path, { everyMs: 5 }));
  await expect.poll(() => failures.length).toBeGreaterThan(0);
  writeFileSync(path, '# the first\n10.0.0.1:7000\n');
  await last(found).toEqual(['10.0.0.1:7000']);
  writeFileSync(`${path}.new`, '10.0.0.2:7000 # the second\n\n10.0.0.1:7000');
  renameSync(`${path}.new`, path);
  await last(found).toEqual(['10.0.0.1:7000', '10.0.0.2:7000']);
});

/** A DNS server on loopback with the records that a test gives it (RFC 1035). */
async function nameServer() {
  const records = new Map<string, readonly Buffer[]>();
  const types = { A: 1, AAAA: 28, SRV: 33 };
  const encoded = (name: string) =>
    Buffer.concat([
      ...name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
      Buffer.alloc(1),
    ]);
  const key = (name: Buffer, type: number) => `${name.toString('latin1').toLowerCase()} ${type}`;
  const server = createSocket('udp4', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 1;
    const answers = records.get(key(query.subarray(12, end), query.readUInt16BE(end)));
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(answers ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(answers?.length ?? 0, 6);
    header.fill(0, 8);
    const bodies = (answers ?? []).map((data) => {
      const head = Buffer.from([0xc0, 12, ...query.subarray(end, end + 4), 0, 0, 0, 1, 0, 0]);
      head.writeUInt16BE(data.length, 10);
      return Buffer.concat([head, data]);
    });
    server.send(Buffer.concat([header, query.subarray(12, end + 4), ...bodies]), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const put = (name: string, type: keyof typeof types, data: readonly Buffer[]) =>
    void records.set(key(encoded(name), types[type]), data);
  return {
    server: `127.0.0.1:${server.address().port}`,
    a: (name: string, ...hosts: string[]) =>
      put(
        name,
        'A',
        hosts.map((host) => Buffer.from(host.split('.').map(Number))),
      ),
    aaaa: (name: string, ...lastBytes: number[]) =>
      put(
        name,
        'AAAA',
        lastBytes.map((byte) => Buffer.from([0xfd, ...new Array(14).fill(0), byte])),
      ),
    srv: (name: string, ...targets: (readonly [string, number])[]) =>
      put(
        name,
        'SRV',
        targets.map(([target, port]) =>
          Buffer.concat([Buffer.from([0, 0, 0, 0, port >> 8, port & 255]), encoded(target)]),
        ),
      ),
  };
}

test('A and AAAA records are followed, and a name that is gone leaves what was found', async () => {
  const dns = await nameServer();
  const options = { name: 'baton.test', port: 7000, servers: [dns.server], everyMs: 10 };
  const { found, failures } = watch(fromDns(options));
  await expect.poll(() => failures[0]?.message).toContain('ENOTFOUND');
  dns.a('baton.test', '10.0.0.1', '10.0.0.2');
  await last(found).toEqual(['10.0.0.1:7000', '10.0.0.2:7000']);
  dns.a('baton.test', '10.0.0.2', '10.0.0.3');
  dns.aaaa('baton.test', 7);
  await last(found).toEqual(['10.0.0.2:7000', '10.0.0.3:7000', 'fd00::7:7000']);
});

test('SRV records give host and port', async () => {
  const dns = await nameServer();
  dns.srv('_baton._tcp.test', ['one.test', 7001], ['two.test', 7002]);
  dns.a('one.test', '10.0.0.1');
  dns.a('two.test', '10.0.0.2');
  const { found } = watch(fromDns({ name: '_baton._tcp.test', servers: [dns.server], everyMs: 10 }));
  await last(found).toEqual(['10.0.0.1:7001', '10.0.0.2:7002']);
  dns.srv('_baton._tcp.test', ['two.test', 7003]);
  await last(found).toEqual(['10.0.0.2:7003']);
});
