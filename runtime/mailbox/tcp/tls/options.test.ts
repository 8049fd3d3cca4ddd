import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Authority, commands, run } from '../../../testing/credentials.ts';
import { isLoopback } from '../loopback.ts';
import { checkPreSharedKeys, type TransportOptions, transportOf } from '../transport.ts';
import { sitesNamedBy, siteUri } from './certificates.ts';
import { sharedKey } from './secret.ts';

const authority = new Authority('test');
const tls = authority.tls('test', 'a');
const own: TransportOptions = {
  cluster: 'test',
  site: 'a',
  listen: { host: '127.0.0.1', port: 0 },
  peers: { b: { host: '127.0.0.1', port: 1 } },
};
const opening = (change: Partial<TransportOptions>) => () => transportOf({ ...own, ...change });

describe('the security options of a site', () => {
  const garbage = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  test.each<[string, Partial<TransportOptions>, RegExp]>([
    ['no certificate', { tls: { ...tls, cert: 'x' } }, /^OPTIONS_INVALID: tls.cert is no certificate in PEM/],
    [
      'a broken one',
      { tls: { ...tls, cert: garbage } },
      /^OPTIONS_INVALID: tls.cert is no certificate in PEM/,
    ],
    ['no key', { tls: { ...tls, key: tls.cert } }, /^OPTIONS_INVALID: tls.key is no private key in PEM/],
    ['no authority', { tls: { ...tls, ca: '' } }, /^OPTIONS_INVALID: tls.ca is no certificate in PEM/],
    [
      'the key of another',
      { tls: { ...tls, key: authority.tls('test', 'b').key } },
      /^OPTIONS_INVALID: tls.key is not the key to tls.cert/,
    ],
    [
      'the certificate of another',
      { tls: authority.tls('test', 'b') },
      /^OPTIONS_INVALID: tls.cert names URI:baton:\/\/test\/b; expected URI:baton:\/\/test\/a/,
    ],
    [
      'one that has ended',
      { tls: authority.amended('test', 'a', (commands) => commands.replace('-days 90', '-days -1')) },
      /^OPTIONS_INVALID: tls.cert has ended at .* GMT: sign it anew/,
    ],
    [
      'one that is for servers alone',
      {
        tls: authority.amended('test', 'a', (commands) =>
          commands.replace('test/%s\\n', 'test/%s\\nextendedKeyUsage=serverAuth\\n'),
        ),
      },
      /^OPTIONS_INVALID: tls.cert may not be used as a client.s/,
    ],
    ['that of another cluster', { tls, cluster: 'other' }, /expected URI:baton:\/\/other\/a/],
    ['no proof, for all to reach', { listen: { host: '0.0.0.0', port: 0 } }, /^INSECURE_LISTEN: 0.0.0.0/],
    [
      'no proof, of a peer elsewhere',
      { peers: { ...own.peers, c: { host: '192.0.2.1', port: 1 } } },
      /^INSECURE_PEER: c is called at 192.0.2.1/,
    ],
  ])('%s is refused', (_, change, message) => {
    expect(opening(change)).toThrow(message);
  });

  test.each<[string, Partial<TransportOptions>]>([
    ['nothing, on loopback', {}],
    ['a certificate', { tls, listen: { host: '0.0.0.0', port: 0 } }],
    ['a secret', { secret: 'x'.repeat(32), listen: { host: '::', port: 0 } }],
    ['a secret in bytes', { secret: Buffer.alloc(32, 7), listen: { host: '::', port: 0 } }],
    ['that it may', { insecure: true, listen: { host: '0.0.0.0', port: 0 } }],
    ['that it may call any host', { insecure: true, peers: { b: { host: '192.0.2.1', port: 1 } } }],
    ['a secret, and a peer elsewhere', { secret: 'x'.repeat(32), peers: { b: { host: 'b', port: 1 } } }],
    ['several authorities', { tls: { ...tls, ca: new Authority().ca + tls.ca } }],
  ])('%s is enough', (_, change) => {
    expect(opening(change)).not.toThrow();
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['LocalHost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['128.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['127.1', false],
  ['localhost.example', false],
  ['127.0.0.1.example', false],
  ['', false],
])('%s is loopback: %s', (host, is) => {
  expect(isLoopback(host)).toBe(is);
});

describe('the name in a certificate', () => {
  test.each([
    ['URI:baton://test/a', ['a']],
    ['DNS:a, URI:baton://test/a, URI:baton://test/b', ['a', 'b']],
    ['DNS:a', []],
    ['URI:baton://other/a', []],
    ['URI:baton://test/a/b', []],
    ['URI:baton://test/', []],
    ['DNS:baton://test/a', []],
    ['URI:"x, URI:baton://test/a"', []],
    ['URI:"x\\", URI:baton://test/a"', []],
    [undefined, []],
  ])('%s', (altNames, sites) => {
    expect(sitesNamedBy(altNames, 'test')).toEqual(sites);
  });

  test('has no room for the end of a cluster’s name in the site’s', () => {
    expect(siteUri("ann's/orders (new)", 'a')).toBe('baton://ann%27s%2Forders%20%28new%29/a');
    expect(sitesNamedBy(`URI:${siteUri('x/a', 'b')}`, 'x')).toEqual([]);
  });
});

test('each way of each pair of each cluster has a key and a name of its own', () => {
  const ways = [
    ['x', 'a', 'b'],
    ['x', 'b', 'a'],
    ['x', 'a', 'c'],
    ['y', 'a', 'b'],
    ['xa', 'b', ''],
  ].map(([cluster, caller, called]) =>
    sharedKey('s'.repeat(32), cluster!, { caller: caller!, called: called! }),
  );
  expect(new Set(ways.map(({ identity }) => identity)).size).toBe(5);
  expect(new Set(ways.map(({ key }) => key.toString('hex'))).size).toBe(5);
  for (const end of ['\n', '\r\n']) {
    const [way] = ways;
    expect(sharedKey(`${'s'.repeat(32)}${end}`, 'x', { caller: 'a', called: 'b' }).key).toEqual(way!.key);
  }
  const other = sharedKey('t'.repeat(32), 'x', { caller: 'a', called: 'b' });
  expect(other.identity).toBe(ways[0]!.identity);
  expect(other.key.equals(ways[0]!.key)).toBe(false);
});

test('the commands of SECURITY.md do what it says', () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-'));
  try {
    const printed = commands().map((block) => run(block, dir));
    expect(printed).toHaveLength(4);
    expect(printed[2]).toMatch(/a\.crt: OK/);
    expect(printed[2]).toMatch(/URI:baton:\/\/orders\/a$/m);
    expect(run('cat secret', dir).trim()).toHaveLength(44);
    expect(run("find . -name '*.key' -perm /077; find . -name secret -perm /077", dir)).toBe('');
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a secret is refused where TLS has no pre-shared keys', () => {
  expect(() => checkPreSharedKeys({ node: '22.0.0', bun: '1.4.5' })).toThrow(
    /^OPTIONS_INVALID: secret needs TLS with a pre-shared key, which bun 1\.4\.5 does not have: give tls certificates/,
  );
  expect(() => checkPreSharedKeys(process.versions)).not.toThrow();
});
