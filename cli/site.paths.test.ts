import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import type { Effect, NamedAction, SiteId } from '../machines/actor.ts';
import type { SiteMessage } from '../machines/naimi-trehel/messages.ts';
import {
  type SiteEvent,
  type SiteInput,
  type SiteSnapshot,
  siteMachine,
} from '../machines/naimi-trehel/site.ts';
import type { EventLine, StartLine } from '../machines/record.ts';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { TcpMailbox } from '../runtime/mailbox/tcp/mailbox.ts';
import { deaf } from '../runtime/testing/handlers.ts';
import { take } from '../statechart/xstate.ts';
import { mailboxOptions } from './testing/peer-mailbox.ts';
import type { DriverCommand } from './testing/site-driver.ts';
import { allTransitions, sitePaths, transitionsTaken } from './testing/site-paths.ts';

/** A process that runs one site after another. */
class Driver {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  complaint = '';

  constructor() {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, 'testing', 'site-driver.mjs')]);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.on('data', (chunk) => {
      this.complaint += chunk;
    });
  }

  say(command: DriverCommand): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  async nextLine(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the site ended: ${this.complaint}`);
    return value;
  }

  /** Its exit status. */
  async end(): Promise<number | null> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }
}

interface Sent {
  readonly target: SiteId;
  readonly message: SiteMessage;
}

/** The site under test, `a`, and its two peers, which the test plays. */
class Scene {
  readonly #driver: Driver;
  readonly #peers = new Map<SiteId, TcpMailbox>();
  #received: Sent[] = [];
  #arrived: () => void = () => undefined;
  #seq = 0;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  async open({ self, root }: SiteInput): Promise<void> {
    const nowhere = { host: '127.0.0.1', port: 1 };
    for (const id of ['b', 'c']) {
      const others = ['a', 'b', 'c'].filter((other) => other !== id);
      const mailbox = new TcpMailbox({
        ...mailboxOptions(id, Object.fromEntries(others.map((other) => [other, nowhere]))),
        incarnation: systemRandom.incarnation(),
        random: systemRandom,
        // b would dial c again and again: the peers have nothing to say to each other.
        clock: { ...systemClock, after: () => () => undefined },
      });
      await mailbox.open({
        ...deaf,
        receive: ({ message }) => {
          this.#received.push({ target: id, message: message as SiteMessage });
          this.#arrived();
        },
      });
      this.#peers.set(id, mailbox);
    }
    const peers = Object.fromEntries([...this.#peers].map(([id, { address }]) => [id, address]));
    this.#driver.say({ open: { self, root, peers } });
  }

  /** Makes `event` happen to the site: by its client, or by a message of one of its peers. */
  happen(event: SiteEvent): void {
    switch (event.type) {
      case 'REQUEST':
        this.#post(event.origin, event);
        break;
      case 'LEAVE':
        this.#post(event.leaver, event);
        break;
      case 'TOKEN':
      case 'GOODBYE':
        this.#post('b', event);
        break;
      default:
        this.#driver.say({ tell: event });
    }
  }

  #post(source: SiteId, message: SiteMessage): void {
    this.#seq += 1;
    const stamp = { seq: this.#seq, clock: { [source]: this.#seq } };
    this.#peers.get(source)!.post({ source, target: 'a', lock: 'main', message, stamp });
  }

  /** The messages that the peers received since the last call, by target, once there are `count`. */
  async received(count: number): Promise<readonly Sent[]> {
    while (this.#received.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    const received = this.#received;
    this.#received = [];
    return byTarget(received);
  }

  async close(): Promise<void> {
    this.#driver.say({ close: true });
    expect(await this.#driver.nextLine()).toBe('closed');
    await this.abort();
  }

  async abort(): Promise<void> {
    for (const mailbox of this.#peers.values()) mailbox.abort();
  }
}

/** In the order of sending for each target: two peers are two connections. */
function byTarget(sent: readonly Sent[]): readonly Sent[] {
  return sent.toSorted((one, other) => one.target.localeCompare(other.target));
}

/** The messages that `effects` send while `members` take part, with their targets. */
function sends(effects: readonly NamedAction[], members: readonly SiteId[]): readonly Sent[] {
  const all = effects.flatMap((effect): Sent[] => {
    const { type, target, message } = effect as Effect<SiteMessage> & {
      target: SiteId;
      message: SiteMessage;
    };
    if (type === 'send') return [{ target, message }];
    return type === 'broadcast' ? members.map((member) => ({ target: member, message })) : [];
  });
  return byTarget(all);
}

const inputs: readonly SiteInput[] = [
  { self: 'a', root: 'a', peers: 2 },
  { self: 'a', root: 'b', peers: 2 },
];

describe('a real site process takes every path that @xstate/test finds', () => {
  const driver = new Driver();
  const taken = new Set<string>();
  afterAll(() => driver.end());

  for (const input of inputs) {
    const title = input.root === 'a' ? 'as the root' : 'as one of the others';
    it.each(sitePaths(input).map((path, index) => ({ path, index })))(
      `${title}, path $index`,
      async ({ path }) => {
        const scene = new Scene(driver);
        await scene.open(input);
        let before: SiteSnapshot = path.steps[0]!.state;
        const gone = new Set<SiteId>();
        const start = JSON.parse(await driver.nextLine()) as StartLine;
        expect(start).toMatchObject({ kind: 'start', input });
        expect(start.snapshot).toEqual({ value: before.value, context: before.context });
        for (const step of path.steps.slice(1)) {
          const event = step.event as SiteEvent;
          const { effects } = take(siteMachine, before, event);
          scene.happen(event);
          if (event.type === 'LEAVE') gone.add(event.leaver);
          const line = JSON.parse(await driver.nextLine()) as EventLine;
          expect(line.event).toEqual(event);
          expect(line.effects).toEqual(effects);
          expect(line.snapshot).toEqual({ value: step.state.value, context: step.state.context });
          const members = ['b', 'c'].filter((peer) => !gone.has(peer));
          const sent = sends(effects, members);
          expect(await scene.received(sent.length)).toEqual(sent);
          for (const name of transitionsTaken(before, event)) taken.add(name);
          before = step.state;
        }
        await scene.close();
      },
    );
  }

  it('takes no message that no correct peer sends', async () => {
    const lied = new Driver();
    const scene = new Scene(lied);
    await scene.open(inputs[0]!);
    await lied.nextLine();
    scene.happen({ type: 'TOKEN' });
    expect(await lied.end()).toBe(1);
    expect(lied.complaint).toMatch(/^PROTOCOL_BREACH: .*no transition takes it/);
    taken.add('site on * #0');
    await scene.abort();
  });

  it('takes every transition of the statechart on these paths', () => {
    // A site is placed as the root or as one of the others by starting.
    const placed = ['site.routing.placing on always #0', 'site.routing.placing on always #1'];
    expect([...taken, ...placed].sort()).toEqual(allTransitions().sort());
  });
});
