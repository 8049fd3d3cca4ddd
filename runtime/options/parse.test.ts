import { describe, expect, test } from 'vitest';
import { OperatingError } from '../api/errors.ts';
import { parseOptions } from './parse.ts';
import { defaultLimits, defaultTiming } from './schema.ts';

const here = { host: '127.0.0.1', port: 0 };
const there = { host: '127.0.0.1', port: 4002 };
const good = { cluster: 'test', site: 'a', listen: here, peers: { b: there } };
const pem = '-----BEGIN X-----';

/** The error text for `change` put into good options. */
function said(change: object): string {
  try {
    parseOptions({ ...good, ...change });
  } catch (error) {
    expect(error).toBeInstanceOf(OperatingError);
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID' });
    return (error as Error).message.replace('OPTIONS_INVALID: ', '');
  }
  return 'nothing';
}

const site = 'the id of a site is 1 to 64 letters, digits, ".", "_" and "-", the first a letter or a digit';

const refused: readonly (readonly [object, string])[] = [
  [
    { peers: { b: { ...there, port: 'eighty' } } },
    'peers.b.port: a port is an integer from 1 to 65535, "eighty" came',
  ],
  [{ peers: { b: { ...there, port: 0 } } }, 'peers.b.port: a port is an integer from 1 to 65535, 0 came'],
  [{ peers: { b: { port: 1 } } }, 'peers.b.host: a host is a name or an IP address; it is missing'],
  [{ peers: { 'b c': there } }, `peers.b c: ${site}, "b c" came`],
  [{ peers: { a: there } }, 'peers.a: peers are the other sites, a is this one'],
  [{ peers: null }, 'peers: peers are addresses by the ids of all other sites, null came'],
  [{ site: '' }, `site: ${site}, "" came`],
  [{ site: undefined }, `site: ${site}; it is missing`],
  [{ cluster: 'a\nb' }, 'cluster: the name of a cluster is 1 to 128 printable characters, "a\\nb" came'],
  [{ listen: '127.0.0.1:80' }, 'listen: an address is { host, port }, "127.0.0.1:80" came'],
  [{ listen: { ...here, port: 70_000 } }, 'listen.port: a port is an integer from 0 to 65535, 70000 came'],
  [{ listen: { ...here, prot: 1 } }, 'listen.prot: there is no such key; did you mean port?'],
  [{ founders: ['b'] }, 'founders: a is one of the founders, or it says join: true'],
  [{ join: true, peers: {} }, 'join: a cluster is joined by its peers: name at least one'],
  [{ root: 'z' }, 'root: the root is a founder, one of a, b; "z" came'],
  [{ voters: [] }, 'voters: voters are a list of one site or more, [] came'],
  [{ voters: ['a', 'z'] }, 'voters.1: a voter is a founder, one of a, b; "z" came'],
  [{ voters: ['b', 'b'] }, 'voters.1: a voter has one vote, "b" came twice'],
  [{ dataDir: 7 }, 'dataDir: a directory is a path, 7 came'],
  [{ strict: { leaseMs: 5 } }, 'strict.leaseMs: a lease is a number of ms from 50 to 3600000, 5 came'],
  [
    { strict: { leaseMs: 500, driftShare: 1 } },
    'strict.driftShare: a share of drift is a number from 0 to 0.5, 1 came',
  ],
  [{ timing: { patienceMs: Number.NaN } }, 'timing.patienceMs: a time is a number of ms above 0, NaN came'],
  [
    { timing: { failureTimeoutMs: 250 } },
    'timing.failureTimeoutMs: it is at least 2 heartbeatMs, 500; 250 came',
  ],
  [{ timing: { suspectMinMs: 70 } }, 'timing.suspectMaxMs: it is at least suspectMinMs, 70; 45 came'],
  [{ timing: { electionMinMs: 3e3 } }, 'timing.electionMaxMs: it is at least electionMinMs, 3000; 2000 came'],
  [{ timing: { hartbeatMs: 1 } }, 'timing.hartbeatMs: there is no such key; did you mean heartbeatMs?'],
  [{ limits: { maxLocks: 0 } }, 'limits.maxLocks: a limit is an integer from 1, 0 came'],
  [{ limits: { dialMinMs: 2e3 } }, 'limits.dialMaxMs: it is at least dialMinMs, 2000; 1000 came'],
  [
    { secret: 'hunter2' },
    'secret: a secret is a string or a Buffer of at least 32 bytes, drawn at random, a string of 7 bytes came',
  ],
  [
    { secret: Buffer.alloc(8) },
    'secret: a secret is a string or a Buffer of at least 32 bytes, drawn at random, 8 bytes came',
  ],
  [
    { tls: { cert: pem, key: 'my key', ca: pem } },
    'tls.key: this site\'s key in PEM is a string or a Buffer with a line "-----BEGIN ...", a string of 6 bytes came',
  ],
  [
    { tls: { cert: 'cert.pem', key: pem, ca: pem } },
    'tls.cert: this site\'s certificate in PEM is a string or a Buffer with a line "-----BEGIN ...", "cert.pem" came',
  ],
  [
    { tls: { cert: pem, key: pem, ca: pem }, secret: 's'.repeat(32) },
    'secret: tls and secret exclude each other: leave one of them out',
  ],
  [
    { logger: { info: () => {} } },
    'logger: a logger has the methods trace, debug, info, warn and error, { info: [Function: info] } came',
  ],
  [{ clock: {} }, 'clock: a clock has the methods now, after and nextTurn, {} came'],
  [{ onCrash: 1 }, 'onCrash: a listener is a function, 1 came'],
  [{ datadir: 'x' }, 'datadir: there is no such key; did you mean dataDir?'],
  [
    { heartbeat: 1 },
    expect.stringMatching(/^heartbeat: there is no such key; there are cluster, site, listen, /),
  ],
];

describe('options that are refused', () => {
  test.each(refused)('%j', (change, text) => expect(said(change)).toEqual(text));

  test('all that is wrong is said at once', () => {
    expect(said({ site: 'a b', root: 1, insecur: true }).split('\n')).toEqual([
      '3 keys are wrong',
      `site: ${site}, "a b" came`,
      'root: the root is a founder, 1 came',
      'insecur: there is no such key; did you mean insecure?',
    ]);
  });

  test('options that are none', () => {
    expect(() => parseOptions(null)).toThrow('OPTIONS_INVALID: the options are an object, null came');
    expect(() => parseOptions({})).toThrow(/4 keys are wrong/);
  });
});

describe('options that are accepted', () => {
  test('the least, with every default', () => {
    expect(parseOptions(good)).toEqual({
      ...good,
      advertise: {},
      members: { leastVoters: 1, foundAfterMs: 3_000 },
      timing: defaultTiming,
      limits: defaultLimits,
    });
  });

  test('a part of a group, the rest of it by default', () => {
    const settings = parseOptions({ ...good, timing: { heartbeatMs: 100 }, strict: { leaseMs: 1_000 } });
    expect(settings.timing).toEqual({ ...defaultTiming, heartbeatMs: 100 });
    expect(settings.strict).toEqual({ leaseMs: 1_000, driftShare: 0.01 });
  });

  test('objects that are no plain data, unchanged', () => {
    const given = {
      logger: console,
      onCrash: () => {},
      secret: Buffer.alloc(32),
      inspect: { next: () => {} },
    };
    const settings = parseOptions({ ...good, ...given });
    for (const key of ['logger', 'onCrash', 'secret', 'inspect'] as const)
      expect(settings[key]).toBe(given[key]);
  });

  test('nothing where undefined is given', () => {
    expect(
      said({ root: undefined, timing: undefined, limits: { maxLocks: undefined }, logger: undefined }),
    ).toBe('nothing');
  });
});
