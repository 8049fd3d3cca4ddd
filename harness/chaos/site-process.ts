import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../machines/epoch/site.ts';
import { reasonOf } from '../../machines/errors.ts';
import { type Clock, ownClock, systemRandom } from '../../runtime/api/clock.ts';
import type { Cluster, InvariantError, Notice } from '../../runtime/index.ts';
import { joinWith } from '../../runtime/join.ts';
import { openStore } from '../../runtime/store/store.ts';
import type { Entry } from '../../verification/runs/histories/history.ts';
import { Client, codeOf } from './client.ts';
import { mainLock, sectionOf } from './locks.ts';
import type { FromSite, OpenSite, ToSite, Work, WriteRequest } from './messages.ts';
import { now } from './now.ts';

/** A site of the harness, in a process of its own; it may be opened again after it was closed. */
export function runChaosSite(): void {
  // Ctrl-C reaches the whole group; the harness decides. Without it there is nothing to stay for.
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => process.exit(1));
  let opened: OpenedSite | null = null;
  process.once('SIGTERM', async () => {
    await opened?.leave();
    say({ type: 'closed' });
    process.disconnect();
    process.exit(0);
  });
  process.on('message', async (message: ToSite) => {
    if (message.type === 'open') {
      try {
        opened = await OpenedSite.open(message);
      } catch (error) {
        say({ type: 'refused', code: codeOf(error) ?? 'UNKNOWN', message: reasonOf(error) });
      }
    } else opened?.take(message);
  });
  say({ type: 'loaded' });
}

function say(message: FromSite): void {
  // If the channel is closed, `disconnect` ends the process.
  if (process.connected) process.send!(message);
}

/** The length of a critical section that lasts until it is told to end. */
const lingerMs = 5_000;

const record = (entry: Entry) => say({ type: 'entry', entry });

/** A clock that runs `rate` times as fast as the machine's. */
function clockOf(rate: number): Clock {
  const own = ownClock();
  return {
    ...own,
    now: () => own.now() * rate,
    after: (delayMs, action) => own.after(delayMs / rate, action),
    deadline: (delayMs, action) => own.deadline!(delayMs / rate, action),
  };
}

class OpenedSite {
  readonly #cluster: Cluster;
  readonly #life: number;
  readonly #clientOf: (lock: string) => Client;
  readonly #ended = new AbortController();
  readonly #dropped = new Map<string, () => void>();
  readonly #answers = new Map<number, (answer: { accepted: boolean; value: number }) => void>();
  #work: Promise<unknown> = Promise.resolve();
  #writes = 0;

  private constructor(cluster: Cluster, life: number) {
    this.#cluster = cluster;
    this.#life = life;
    const write = (request: WriteRequest) =>
      new Promise<{ accepted: boolean; value: number }>((resolve) => {
        const id = this.#writes++;
        this.#answers.set(id, resolve);
        say({ type: 'write', id, ...request });
      });
    this.#clientOf = (lock) =>
      new Client({ site: cluster.site, lock: cluster.lock(lock), life, record, write });
  }

  static async open(options: OpenSite): Promise<OpenedSite> {
    const { site, life, cluster: name, root, listen, peers, dataDir, timing, credentials, mutant } = options;
    const { hostile, membership, forgetsRuns, rate } = options;
    const store = forgetsRuns
      ? await openStore({ dataDir, site, cluster: name, newId: systemRandom.incarnation() })
      : undefined;
    const settings = {
      site,
      cluster: name,
      root,
      peers,
      ...membership,
      dataDir,
      timing,
      clock: clockOf(rate),
      ...credentials,
      listen,
      onCrash: (error: InvariantError) =>
        say({ type: 'crashed', code: codeOf(error.cause) ?? error.code, message: error.message }),
    };
    const cluster = await joinWith(
      await statechartOf(mutant),
      settings,
      store && Object.assign(store, { life }),
    );
    cluster.on('notice', (notice) => {
      if (notice.type === 'founded') say({ type: 'founded' });
      if (notice.type === 'error' && notice.error.code === 'PROTOCOL_BREACH' && !hostile) {
        // All peers belong to the harness, so any error is a fault.
        say({ type: 'crashed', code: notice.error.code, message: notice.error.message });
        return;
      }
      const what = inWords(notice);
      if (what !== null) record({ type: 'notice', at: now(), site, life, what });
    });
    const opened = new OpenedSite(cluster, life);
    say({ type: 'opened', address: cluster.address });
    return opened;
  }

  take(message: Exclude<ToSite, { type: 'open' }>): void {
    switch (message.type) {
      case 'work':
        this.#work = Promise.all(message.locks.map((lock) => this.#use(lock, message)));
        return;
      case 'rest':
        this.#ended.abort();
        this.#work.then(() => say({ type: 'rested', counters: this.#cluster.counters() }));
        return;
      case 'take': {
        const { section } = message;
        const dropped = new Promise<void>((resolve) => this.#dropped.set(section, resolve));
        this.#clientOf(mainLock).section(section, { hold: () => dropped, careless: true, lingerMs });
        return;
      }
      case 'drop':
        this.#dropped.get(message.section)?.();
        return;
      case 'change':
        this.#change(message);
        return;
      case 'answer':
        this.#answers.get(message.id)?.(message);
        this.#answers.delete(message.id);
        return;
      case 'close':
        this.#ended.abort();
        this.#cluster.close({ graceful: false }).then(() => say({ type: 'closed' }));
        return;
      default:
        message satisfies never;
    }
  }

  async #use(lock: string, { clients, seed, pace }: Work): Promise<void> {
    const client = this.#clientOf(lock);
    const names = Array.from(
      { length: clients },
      (_, index) => `${this.#cluster.site}${this.#life}.${index}`,
    );
    await Promise.all(
      names.map((name, index) => client.work(sectionOf(lock, name), seed + index, pace, this.#ended.signal)),
    );
  }

  async #change({ change, timeoutMs }: Extract<ToSite, { type: 'change' }>): Promise<void> {
    const [cluster, options] = [this.#cluster, { timeoutMs }];
    try {
      if ('add' in change) await cluster.addMember(change.add, options);
      else if ('remove' in change) await cluster.removeMember(change.remove, options);
      else await cluster.replaceMember(change.replace, change.by, options);
      say({ type: 'changed', code: null, message: '' });
    } catch (error) {
      say({ type: 'changed', code: codeOf(error) ?? 'UNKNOWN', message: reasonOf(error) });
    }
  }

  async leave(): Promise<void> {
    this.#ended.abort();
    await this.#cluster.close();
  }
}

/** A notice that explains to the reader of a history why an epoch began; `null` for all others. */
function inWords(notice: Notice): string | null {
  switch (notice.type) {
    case 'up':
    case 'restarted':
      return `${notice.peer} is ${notice.type}`;
    case 'down':
      return `${notice.peer} is down (${notice.why})`;
    case 'members':
      return `members (${notice.term}, ${notice.version}): ${notice.voters.join(', ')}`;
    case 'suspected':
      return 'suspects';
    case 'error':
      return notice.error.code === 'PEER_RESTARTED' ? `refuses: ${notice.error.message}` : null;
    case 'elected':
    case 'adopted':
      return `${notice.type} epoch ${notice.epoch}, root ${notice.root}`;
    default:
      return null;
  }
}

async function statechartOf(mutant: string | null): Promise<AnyStateMachine> {
  if (mutant === null) return siteMachine;
  const { mutants } = await import('../../verification/protocols/epoch/mutants.ts');
  const [, machine] = mutants[mutant]!;
  return machine;
}
