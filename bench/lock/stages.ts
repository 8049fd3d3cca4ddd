import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { breachOf } from '../../dist/machines/epoch/breach.js';
import { brokenInvariant, type SiteView } from '../../dist/machines/epoch/invariants.js';
import { siteMachine } from '../../dist/machines/epoch/site.js';
import { linkMachine } from '../../dist/machines/link/link.js';
import { systemClock } from '../../dist/runtime/api/clock.js';
import { EffectActor } from '../../dist/runtime/driver/actor.js';
import { GrantWatch } from '../../dist/runtime/lock/grant-watch.js';
import { Places } from '../../dist/runtime/lock/places.js';
import { Row } from '../../dist/runtime/lock/row.js';
import { type QueueOwner, WaitQueue } from '../../dist/runtime/lock/wait-queue.js';
import { WriteScheduler } from '../../dist/runtime/mailbox/tcp/connection.js';
import { messageLayout } from '../../dist/runtime/site/protocol.js';
import { Codec } from '../../dist/runtime/wire/codec.js';
import { Decoder } from '../../dist/runtime/wire/decoder.js';
import { Writer } from '../../dist/runtime/wire/writer.js';
import { compile } from '../../dist/statechart/compile.js';
import { aligned, median } from '../columns.ts';
import { openSites } from './sites.ts';

/*
 * The stages of a hand-off, in microseconds: one TOKEN that arrives, one critical section, one TOKEN that leaves. `in a row`: the CPU
 * time of each, when the same stage runs again and again. `after a sleep`: the time of a single one, after the process has slept and
 * the caches hold other data. That is what a hand-off between processes meets, because both sleep between hand-offs.
 *
 * The built package is measured, without the overhead of a loader: `npm run build`, then `node --import tsx bench/lock/stages.ts`.
 */

const rounds = 7;
const perRound = 10_000;
const sleeps = 1_000;
const sleepMs = 0.2;

/** A stage runs synchronously, or resolves when it is over. */
interface Stage {
  readonly name: string;
  run(): void | Promise<void>;
}

const clock = systemClock;
const releaseAndAsk = { type: 'releaseAndAsk' };
const token = (source: string, target: string) => ({
  source,
  target,
  lock: 'lock-0',
  message: { type: 'TOKEN', epoch: 0, root: 'site-0', k: 12_345, line: [source] },
  stamp: { seq: 5_678, clock: null },
});

function frame(): Stage {
  const codec = new Codec(messageLayout);
  const writer = new Writer();
  const decoder = new Decoder(codec);
  const envelope = token('site-0', 'site-1');
  const bytes = codec.encode({ type: 'data', seq: 9_999, ack: 9_999, envelope });
  return {
    name: 'frame: one decoded, one encoded',
    run: () => {
      decoder.push(bytes);
      decoder.next();
      codec.writeData(9_999, 9_999, envelope, writer);
      writer.take();
    },
  };
}

interface Event {
  readonly type: string;
  readonly [key: string]: unknown;
}

function link(): Stage {
  const effects = [...compile(linkMachine).effects];
  const input = { incarnation: 'this', limit: 100 };
  const actor = new EffectActor<Event, { type: string }>(linkMachine, effects, { id: 'link', input });
  const connection = 1;
  actor.take({ type: 'connected', connection });
  actor.take({ type: 'WELCOME', connection, incarnation: 'other', ack: 0 });
  const payload = token('site-0', 'site-1');
  let seq = 0;
  return {
    name: "link's statechart: DATA, post",
    run: () => {
      actor.take({ type: 'DATA', connection, seq: seq + 1, ack: seq, payload });
      actor.take({ type: 'post', payload });
      seq += 1;
    },
  };
}

/** The actor of a lock whose client waits. */
function waiting() {
  const effects = [...compile(siteMachine).effects];
  const input = { self: 'site-1', founder: 'site-0', voters: ['site-0', 'site-1'], disk: 'none' };
  const actor = new EffectActor<Event, { type: string }>(siteMachine, effects, { id: 'lock', input });
  actor.take({ type: 'ask' });
  return actor;
}

function lock(): Stage {
  const actor = waiting();
  const { message } = token('site-0', 'site-1');
  return {
    name: "lock's statechart: TOKEN, releaseAndAsk",
    run: () => {
      actor.take(message);
      actor.take(releaseAndAsk);
    },
  };
}

function checks(): Stage {
  const view = waiting().state as SiteView;
  const { message, source } = token('site-0', 'site-1');
  return {
    name: 'checks: breach of a peer, invariants twice',
    run: () => {
      const breach = breachOf(message as never, source, view.context);
      if (breach !== null || brokenInvariant(view) !== null || brokenInvariant(view) !== null)
        throw new Error('expected a state without a fault');
    },
  };
}

function caller(): Stage {
  const nothing = () => {};
  const owner: QueueOwner = {
    lock: 'lock-0',
    hasMajority: true,
    hindrance: null,
    busy: false,
    dispatch: nothing,
    look: nothing,
    pushed: nothing,
    waitBegan: nothing,
    waitEnded: nothing,
  };
  const shared = { places: new Places(clock), grants: new GrantWatch(clock), row: new Row() };
  const options = { clock, maxBatch: 16, answerMs: 1_000, notice: nothing, ...shared };
  const queue = new WaitQueue(owner, options);
  queue.begin();
  const fence = { generation: 0, epoch: 0, k: 1 };
  return {
    name: 'caller: acquire, grant, its promise, release',
    run: async () => {
      const granted = queue.acquire();
      queue.grant(fence);
      (await granted).release();
    },
  };
}

function flush(): Stage {
  const scheduler = new WriteScheduler(clock);
  return {
    name: 'flush: a write scheduled and begun',
    run: () => new Promise<void>((resolve) => scheduler.add(resolve, true)),
  };
}

/** The costs that the token ring has, too: Node's sockets and the system calls. */
async function socket(): Promise<Stage> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const near = connect({ port, host: '127.0.0.1', noDelay: true });
  const [far] = (await accepted) as [typeof near];
  let resolve = () => {};
  far.on('data', () => resolve());
  const bytes = Buffer.alloc(62);
  return {
    name: 'socket: one write, one poll, one read',
    run: () =>
      new Promise<void>((done) => {
        resolve = done;
        near.write(bytes);
      }),
  };
}

async function inARow({ run }: Stage): Promise<number> {
  const figures: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let time = 0; time < perRound; time++) {
      const over = run();
      if (over) await over;
    }
    figures.push(cpuSince(before) / perRound);
  }
  return Math.min(...figures);
}

const asleep = new Int32Array(new SharedArrayBuffer(4));
const others = new Uint8Array(4 * 1_024 * 1_024);

async function afterASleep({ run }: Stage): Promise<number> {
  const figures: number[] = [];
  for (let time = 0; time < sleeps; time++) {
    // Other processes use the caches meanwhile.
    for (let at = 0; at < others.length; at += 64) others[at]! += 1;
    Atomics.wait(asleep, 0, 0, sleepMs);
    const before = process.hrtime.bigint();
    const over = run();
    if (over) await over;
    figures.push(Number(process.hrtime.bigint() - before) / 1_000);
  }
  return median(figures);
}

/** CPU time of a hand-off between two sites of one process, and the share of it that collects garbage. */
async function whole() {
  const sites = await openSites(2);
  const locks = sites.map((site) => site.lock('lock-0'));
  let collectingMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collectingMs += duration;
  });
  observer.observe({ entryTypes: ['gc'] });
  const figures: number[] = [];
  let spentUs = 0;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    await Promise.all(
      locks.map(async (lock) => {
        for (let time = 0; time < perRound / 2; time++) (await lock.acquire()).release();
      }),
    );
    const spent = cpuSince(before);
    figures.push(spent / perRound);
    spentUs += spent;
  }
  observer.disconnect();
  await Promise.all(sites.map((site) => site.close({ graceful: false })));
  return { us: Math.min(...figures), collecting: (collectingMs * 1_000) / spentUs };
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const lines = [['', 'in a row', 'after a sleep']];
const nothing: Stage = { name: 'nothing: the clock alone', run: () => {} };
for (const stage of [nothing, frame(), link(), lock(), checks(), caller(), flush(), await socket()]) {
  lines.push([stage.name, (await inARow(stage)).toFixed(2), (await afterASleep(stage)).toFixed(2)]);
}
const { us, collecting } = await whole();
lines.push(['whole: two sites of one process', us.toFixed(2), '–']);
console.log(aligned(lines));
console.log(`collecting garbage: ${(100 * collecting).toFixed(1)} % of the whole`);
process.exit(0);
