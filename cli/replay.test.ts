import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Cluster,
  epoch,
  joinCluster,
  naimiTrehel,
  type Protocol,
  type Strict,
} from '../runtime/index.ts';
import { slowMutants } from '../verification/protocols/naimi-trehel/mutants.ts';
import { baton } from './testing/baton.ts';
import { directory } from './testing/directory.ts';

type Sites = Record<'a' | 'b' | 'c', Cluster>;

/** Sites `a`, `b`, `c` over TCP in this process, `a` the root and running `protocol`. */
async function threeSites(
  traceDir: string,
  protocol: Protocol,
  others: Protocol,
  strict?: Strict,
): Promise<Sites> {
  const peers = Object.fromEntries(['a', 'b', 'c'].map((id) => [id, { host: '127.0.0.1', port: 1 }]));
  const open = async (site: string) => {
    const { [site]: listen, ...dialled } = peers;
    const common = {
      cluster: 'replay',
      root: 'a',
      traceDir,
      site,
      listen: { ...listen!, port: 0 },
      peers: dialled,
      ...(strict && { strict }),
    };
    const opened = await joinCluster({ ...common, protocol: site === 'a' ? protocol : others });
    onTestFinished(() => opened.close({ graceful: false }));
    peers[site] = opened.address;
    return opened;
  };
  // The last first: a site dials those that come after it.
  const [c, b, a] = [await open('c'), await open('b'), await open('a')];
  await Promise.all([a.ready(), b.ready(), c.ready()]);
  return { a, b, c };
}

/** b has its turn, then c; a has to forward the request of c to b. */
async function takeTurns(protocol: Protocol, others = protocol, strict?: Strict): Promise<string> {
  const trace = directory();
  const { a, b, c } = await threeSites(trace, protocol, others, strict);
  await b.lock('main').run(() => undefined);
  await c.lock('main').run(() => undefined);
  await Promise.all([a, b, c].map((site) => site.close({ graceful: false })));
  return trace;
}

describe('baton replay', () => {
  it.each([naimiTrehel, epoch])('accepts what real sites of $name did', async (protocol) => {
    const { status, stdout } = await baton('replay', await takeTurns(protocol));
    expect(stdout).toContain(`lock main (${protocol.name}) at a, b, c: `);
    expect(stdout).toMatch(/, 2 critical sections\naccepted/);
    expect(status).toBe(0);
  });

  it('accepts what real sites did under leases', async () => {
    const { status, stdout } = await baton('replay', await takeTurns(epoch, epoch, { leaseMs: 100 }));
    expect(stdout).toMatch(/, 2 critical sections\naccepted/);
    expect(status).toBe(0);
  });

  it('refuses what a real site did with a mistake in its statechart, and says what it should have done', async () => {
    const machine = slowMutants['last is not turned when a request is passed on'];
    const { status, stdout } = await baton(
      'replay',
      await takeTurns({ ...naimiTrehel, machine }, naimiTrehel),
    );
    expect(status).toBe(1);
    expect(stdout.split('\n').slice(1, -1)).toEqual([
      'refused at a.ndjson:3: the machine takes REQUEST here, with other snapshot (REPLAY_STEP)',
      '  event     REQUEST(origin=c) from c, at a',
      '  differs   snapshot.context.last: recorded "b", the machine "c"',
      '  possible  ask; try; REQUEST(origin=c) from c',
    ]);
  });
});
