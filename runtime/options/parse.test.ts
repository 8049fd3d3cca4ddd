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

const hiddenPeer = `peers.__proto__: ${site}, got "__proto__"`;

const refused: readonly (readonly [object, string])[] = [
  [
    { peers: { b: { ...there, port: 'eighty' } } },
    'peers.b.port: a port is an integer from 1 to 65535, got "eighty"',
  ],
  [{ peers: { b: { ...there, port: 0 } } }, 'peers.b.port: a port is an integer from 1 to 65535, got 0'],
  ...['http://localhost', 'localhost:80', '300.1.1.1', 'a b'].map(
    (host) =>
      [
        { listen: { host, port: 1 } },
        `listen.host: a host is a name or an IP address, with neither a scheme nor a port, got "${host}"`,
      ] as const,
  ),
  [
    { peers: { b: { port: 1 } } },
    'peers.b.host: a host is a name or an IP address, with neither a scheme nor a port; it is missing',
  ],
  [{ peers: { 'b c': there } }, `peers.b c: ${site}, got "b c"`],
  [{ peers: JSON.parse('{ "__proto__": { "host": "127.0.0.1", "port": 1 } }') }, hiddenPeer],
  [{ peers: { __proto__: { b: there } } }, hiddenPeer],
  [{ peers: { a: there } }, 'peers.a: peers are the other sites, a is this one'],
  [{ peers: null }, 'peers: peers are addresses by the ids of all other sites, got null'],
  [{ site: '' }, `site: ${site}, got ""`],
  [{ site: undefined }, `site: ${site}; it is missing`],
  [{ cluster: 'a\nb' }, 'cluster: the name of a cluster is 1 to 128 printable characters, got "a\\nb"'],
  [{ listen: '127.0.0.1:80' }, 'listen: an address is { host, port }, got "127.0.0.1:80"'],
  [{ listen: { ...here, port: 70_000 } }, 'listen.port: a port is an integer from 0 to 65535, got 70000'],
  [{ listen: { ...here, prot: 1 } }, 'listen.prot: there is no such key; did you mean port?'],
  [{ founders: ['b'] }, 'founders: a is one of the founders, or it says join: true'],
  [{ join: true, peers: {} }, 'join: a cluster is joined by its peers: name at least one'],
  [{ root: 'z' }, 'root: the root is a founder, one of a, b; got "z"'],
  [{ voters: [] }, 'voters: voters are a list of one site or more, got []'],
  [{ voters: ['a', 'z'] }, 'voters.1: a voter is a founder, one of a, b; got "z"'],
  [{ voters: ['b', 'b'] }, 'voters.1: a voter has one vote, got "b" twice'],
  [{ dataDir: 7 }, 'dataDir: a directory is a path, got 7'],
  [{ strict: { leaseMs: 5 } }, 'strict.leaseMs: a lease is a number of ms from 50 to 3600000, got 5'],
  [
    { strict: { leaseMs: 500, driftShare: 1 } },
    'strict.driftShare: a share of drift is a number from 0 to 0.5, got 1',
  ],
  [
    { timing: { patienceMs: Number.NaN } },
    'timing.patienceMs: a time is a number of ms above 0 and at most 2147483647, got NaN',
  ],
  [
    { timing: { failureTimeoutMs: 250 } },
    'timing.failureTimeoutMs: it is at least 2 heartbeatMs, 500; got 250',
  ],
  [{ timing: { suspectMinMs: 70 } }, 'timing.suspectMaxMs: it is at least suspectMinMs, 70; got 45'],
  [{ timing: { electionMinMs: 3e3 } }, 'timing.electionMaxMs: it is at least electionMinMs, 3000; got 2000'],
  [{ timing: { hartbeatMs: 1 } }, 'timing.hartbeatMs: there is no such key; did you mean heartbeatMs?'],
  [{ limits: { maxLocks: 0 } }, 'limits.maxLocks: a limit is an integer from 1, got 0'],
  [{ limits: { dialMinMs: 2e3 } }, 'limits.dialMaxMs: it is at least dialMinMs, 2000; got 1000'],
  [
    { secret: 'hunter2' },
    'secret: a secret is a string or a Buffer of at least 32 bytes, drawn at random, got a string of 7 bytes',
  ],
  [
    { secret: Buffer.alloc(8) },
    'secret: a secret is a string or a Buffer of at least 32 bytes, drawn at random, got 8 bytes',
  ],
  [
    { tls: { cert: pem, key: 'my key', ca: pem } },
    'tls.key: this site\'s key in PEM is a string or a Buffer with a line "-----BEGIN ...", got a string of 6 bytes',
  ],
  [
    { tls: { cert: 'cert.pem', key: pem, ca: pem } },
    'tls.cert: this site\'s certificate in PEM is a string or a Buffer with a line "-----BEGIN ...", got "cert.pem"',
  ],
  [
    { tls: { cert: pem, key: pem, ca: pem }, secret: 's'.repeat(32) },
    'secret: tls and secret exclude each other: leave one of them out',
  ],
  [
    { logger: { info: () => {} } },
    'logger: a logger has the methods trace, debug, info, warn and error, got { info: [Function: info] }',
  ],
  [{ clock: {} }, 'clock: a clock has the methods now, after and nextTurn, got {}'],
  [{ onCrash: 1 }, 'onCrash: a listener is a function, got 1'],
  [{ datadir: 'x' }, 'datadir: there is no such key; did you mean dataDir?'],
  [
    { heartbeat: 1 },
    expect.stringMatching(/^heartbeat: there is no such key; there are cluster, site, listen, /),
  ],
];

describe('parseOptions refuses', () => {
  test.each(refused)('%j', (change, text) => expect(said(change)).toEqual(text));

  test('one error names all wrong keys', () => {
    expect(said({ site: 'a b', root: 1, insecur: true }).split('\n')).toEqual([
      '3 keys are wrong',
      `site: ${site}, got "a b"`,
      'root: the root is a founder, got 1',
      'insecur: there is no such key; did you mean insecure?',
    ]);
  });

  test('null and other values are no options', () => {
    expect(() => parseOptions(null)).toThrow('OPTIONS_INVALID: the options are an object, got null');
    expect(() => parseOptions({})).toThrow(/4 keys are wrong/);
  });
});

describe('parseOptions accepts', () => {
  test('the required keys alone, with every default', () => {
    expect(parseOptions(good)).toEqual({
      ...good,
      advertise: {},
      members: { leastVoters: 1, foundAfterMs: 3_000 },
      timing: defaultTiming,
      limits: defaultLimits,
    });
  });

  test('a part of a group, with defaults for the rest', () => {
    const settings = parseOptions({ ...good, timing: { heartbeatMs: 100 }, strict: { leaseMs: 1_000 } });
    expect(settings.timing).toEqual({ ...defaultTiming, heartbeatMs: 100 });
    expect(settings.strict).toEqual({ leaseMs: 1_000, driftShare: 0.01 });
  });

  test('objects that are no plain data, which stay unchanged', () => {
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

  test('undefined as an absent key', () => {
    expect(
      said({ root: undefined, timing: undefined, limits: { maxLocks: undefined }, logger: undefined }),
    ).toBe('nothing');
  });
});
