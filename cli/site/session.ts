import { reasonOf } from '../../machines/errors.ts';
import { OperatingError } from '../../runtime/api/errors.ts';
import type { Cluster, Fence, Held, Lock, Membership } from '../../runtime/index.ts';
import { exitStatus } from '../exit.ts';

const help = `request   ask for the critical section; says at once when the token is here
release   leave the critical section (waits for it first, if it was requested)
status    last, line, token; state of the client; epoch and fence; connected sites
members   which sites vote, and which of them are up
add ID    wait until the site ID, which was started with --join, is a member
remove ID          the site ID votes no more, up or not
replace ID ID      the second site takes the place of the first
quit      hand the token on, say goodbye to the others, end
help      this`;

const quit = Symbol('quit');

/** One site under the commands of a person. */
export class Session {
  readonly #cluster: Cluster;
  readonly #lock: Lock;
  readonly #onLeave: () => void;
  readonly #say: (text: string) => void;
  #held: Held | null = null;
  /** The request that is under way. */
  #request: { readonly withdraw: AbortController; readonly done: Promise<void> } | null = null;
  #interrupt: () => void = () => undefined;
  #leaving = false;

  /** `leaving` is called as the site begins to leave. */
  constructor(cluster: Cluster, leaving: () => void, say: (text: string) => void) {
    this.#cluster = cluster;
    this.#lock = cluster.lock('main');
    this.#onLeave = leaving;
    this.#say = say;
  }

  /** Runs until quit, the end of input (`null`) or the first interrupt; then leaves. */
  async run(nextLine: () => Promise<string | null>): Promise<void> {
    const interrupted = new Promise<typeof quit>((resolve) => {
      this.#interrupt = () => resolve(quit);
    });
    for (let open = true; open; ) {
      const line = await Promise.race([nextLine(), interrupted]);
      if (line === null || line === quit) break;
      open = (await Promise.race([this.#command(line.trim()), interrupted])) !== quit;
    }
    await this.#leave();
  }

  /** Leaves the first time. The second time it ends at once, without leaving. */
  interrupt(): void {
    if (!this.#leaving) {
      this.#leaving = true;
      this.#interrupt();
      return;
    }
    this.#say('ended without leaving: the others take it for dead, and go on when a majority of them lives');
    process.exit(exitStatus.violated);
  }

  async #command(line: string): Promise<typeof quit | undefined> {
    const [command = '', ...names] = line.split(/\s+/);
    switch (command) {
      case '':
        return undefined;
      case 'request':
        this.#ask();
        return undefined;
      case 'release':
        await this.#release();
        return undefined;
      case 'status':
        this.#say(this.#status());
        return undefined;
      case 'members':
        this.#say(membersText(this.#cluster.members()));
        return undefined;
      case 'add':
      case 'remove':
      case 'replace':
        await this.#change(command, names);
        return undefined;
      case 'quit':
        return quit;
      case 'help':
        this.#say(help);
        return undefined;
      default:
        this.#say(
          `unknown command ${command}; there are request, release, status, members, add, remove, replace, quit, help`,
        );
        return undefined;
    }
  }

  async #change(command: 'add' | 'remove' | 'replace', names: readonly string[]): Promise<void> {
    const [first, second] = names;
    const expected = command === 'replace' ? 2 : 1;
    if (first === undefined || names.length !== expected) {
      this.#say(`${command} takes ${expected === 1 ? 'the id of a site' : 'the ids of two sites'}`);
      return;
    }
    try {
      const members =
        command === 'add'
          ? this.#cluster.addMember(first)
          : command === 'remove'
            ? this.#cluster.removeMember(first)
            : this.#cluster.replaceMember(first, second!);
      this.#say(membersText(await members));
    } catch (error) {
      this.#say(`not changed: ${reasonOf(error)}`);
    }
  }

  #ask(): void {
    if (this.#held !== null || this.#request !== null) {
      this.#say(this.#held === null ? 'already requested' : 'already in the critical section');
      return;
    }
    const withdraw = new AbortController();
    const granted = async () => {
      try {
        const held = await this.#lock.acquire({ signal: withdraw.signal });
        this.#held = held;
        held.signal.addEventListener('abort', () => {
          if (this.#held === held) this.#held = null;
        });
        this.#say(`the token is here: in the critical section, under fence ${fenceText(held.fence)}`);
      } catch (error) {
        if (!withdraw.signal.aborted) this.#say(`not granted: ${reasonOf(error)}`);
      }
      this.#request = null;
    };
    this.#say('requested');
    this.#request = { withdraw, done: granted() };
  }

  async #release(): Promise<void> {
    if (this.#held === null && this.#request === null) return this.#say('not in the critical section');
    if (this.#request !== null) this.#say('releases as soon as the token has come');
    await this.#request?.done;
    if (this.#held === null) return;
    this.#held.release();
    this.#held = null;
    this.#say('released');
  }

  async #leave(): Promise<void> {
    this.#leaving = true;
    this.#onLeave();
    this.#request?.withdraw.abort();
    this.#held?.release();
    this.#held = null;
    this.#say('leaves: hands on what it has, and says goodbye');
    await this.#cluster.close();
    this.#say('left');
  }

  /** A site that was removed has no part in the lock. */
  #status(): string {
    try {
      return this.#statusText();
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      return `no status: ${reasonOf(error)}`;
    }
  }

  #statusText(): string {
    const { last, line, token, client, waiting, epoch, frozen, fence } = this.#lock.status();
    const { connected } = this.#cluster.status();
    const links = connected.length === 0 ? 'nobody' : connected.join(', ');
    const queue = waiting === 0 ? '' : `, ${waiting} waiting here`;
    const place = `last ${last ?? 'nil'}, line ${line.length === 0 ? 'empty' : line.join(' ')}, token ${token ? 'here' : 'elsewhere'}`;
    const under = fence === undefined ? '' : ` under fence ${fenceText(fence)}`;
    const era = `, epoch ${epoch}${frozen ? ', frozen until the next' : ''}`;
    return `${place}, client ${client}${under}${queue}${era}; connected: ${links}`;
  }
}

function membersText({ generation, term, version, voters }: Membership): string {
  if (generation === null) return 'no member of a cluster yet';
  const sites = voters.map(({ site, up }) => (up ? site : `${site} (down)`)).join(', ');
  return `members (${term}, ${version}): ${sites}`;
}

function fenceText({ epoch, k }: Fence): string {
  return `(${epoch}, ${k})`;
}
