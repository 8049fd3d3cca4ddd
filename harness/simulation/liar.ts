import type { SiteId } from '../../machines/actor.ts';
import { type Configuration, compare, isEqual, voterOf } from '../../machines/members/configuration.ts';
import type { MembersMessage } from '../../machines/members/messages.ts';
import type { Mailbox } from '../../runtime/mailbox/mailbox.ts';
import { membersLock } from '../../runtime/wire/frames.ts';
import type { Simulation } from './simulation.ts';

/** Steps of the schedule in which a liar speaks. */
const lyingSteps = 150;

/**
 * A liar takes the place of one of the `voters`, which all reach each other, for some time. Its data are lost then, and its site joins anew. Throws
 * the site that believes it. `truth`: what the others hold.
 */
export async function lie(
  simulation: Simulation,
  {
    start,
    truth,
    voters,
  }: {
    readonly start: (id: SiteId) => Promise<void>;
    readonly truth: () => Configuration;
    readonly voters: readonly SiteId[];
  },
): Promise<void> {
  const { random, clock, hub } = simulation;
  const site = voters[Math.floor(random() * voters.length)]!;
  const others = voters.filter((name) => name !== site);
  const liar = new Liar(simulation, site, others, truth);
  await liar.begin();
  for (let step = 0; step < lyingSteps; step++) {
    const chance = random();
    const pending = simulation.pending();
    if (chance < 0.1) await liar.say();
    else if (chance < 0.8 && pending.length > 0) hub.deliver(pending[Math.floor(random() * pending.length)]!);
    else clock.tick();
    await Promise.resolve();
    await Promise.resolve();
    simulation.check();
    liar.check();
  }
  liar.end();
  simulation.empty(site);
  await start(site);
  for (const until = clock.now() + 20_000; clock.now() < until && !others.every((id) => liar.isOver(id)); ) {
    await simulation.run(250);
    liar.check();
  }
  // A lie that is kept for longer is believed when all others are out of reach (SECURITY.md). It is in memory alone.
  for (const id of others) {
    if (liar.isOver(id)) continue;
    simulation.crash(id);
    await start(id);
  }
}

/**
 * A site whose place a liar has taken: it has the site's name and data, hears everything, and says of the members what it likes, in its own name
 * (M6). It takes no part in the locks. What it says breaks no rule that its receiver could check by itself, so it is not believed for one reason
 * alone: nobody else says so.
 *
 * The others are voters that all reach each other, as a majority without it, and hold one configuration at first.
 */
class Liar {
  readonly site: SiteId;
  readonly #simulation: Simulation;
  readonly #generation: number;
  readonly #others: readonly SiteId[];
  /** The configuration that the others hold. */
  readonly #truth: () => Configuration;
  readonly #lies: Configuration[] = [];
  /** The terms for which it asked for votes, as any voter may. A voter that gives it a vote believes its configuration of that term, if it changes one voter at most. */
  readonly #asked = new Set<number>();
  #id: string;
  #mailbox: Mailbox | null = null;
  #said = 0;

  constructor(simulation: Simulation, site: SiteId, others: readonly SiteId[], truth: () => Configuration) {
    this.#simulation = simulation;
    this.site = site;
    this.#others = others;
    this.#truth = truth;
    this.#id = simulation.idOf(site);
    this.#generation = simulation.sites.get(site)!.mesh.founding!.generation;
  }

  async begin(): Promise<void> {
    this.#simulation.crash(this.site);
    await this.#open();
  }

  /** It falls silent. Nothing that is under way from it arrives. */
  end(): void {
    this.#simulation.hub.crash(this.site);
  }

  async #open(): Promise<void> {
    this.#mailbox = this.#simulation.hub.mailbox(this.site, this.#id);
    await this.#mailbox.open({ receive: () => {}, peerChanged: () => {}, beforeWrite: () => {} });
  }

  /** Says something to one of the others, or to all. */
  async say(): Promise<void> {
    const { random } = this.#simulation;
    const chance = random();
    const targets = random() < 0.5 ? this.#others : [this.#pick(this.#others)];
    // The same again, perhaps to another site, or under another id, as if it had lost its data.
    const again = this.#lies.at(-1);
    if (chance < 0.25) this.#ask(targets);
    else if (chance < 0.5 && again) this.#tell(targets, again);
    else if (chance < 0.6 && again) {
      this.end();
      this.#said += 1;
      this.#id = `${this.site}-lies-${this.#said}`;
      await this.#open();
      this.#tell(targets, again);
    } else {
      const lie = this.#makeUp();
      this.#lies.push(lie);
      this.#tell(targets, lie);
    }
  }

  /** Throws the site that believes a lie. */
  check(): void {
    for (const { id, mesh } of this.#simulation.sites.values()) {
      const { configuration } = mesh;
      if (configuration && this.#lies.some((lie) => isEqual(lie, configuration)))
        throw new Error(
          `M6: ${id} believes a configuration that ${this.site} alone has told, and nobody has written`,
        );
    }
  }

  /** Does the site hold a newer configuration than all lies? Otherwise it may keep one, and believe it when the others are out of its reach. */
  isOver(id: SiteId): boolean {
    const { configuration } = this.#simulation.sites.get(id)!.mesh;
    return this.#lies.every((lie) => compare(configuration, lie) > 0);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#simulation.random() * from.length)]!;
  }

  get #promised(): number {
    const promises = this.#others.map((id) => this.#simulation.dataOf(id).members?.promised ?? 0);
    return Math.max(this.#truth().term, ...promises);
  }

  /** Stands as any voter may, for a term of which it has told no configuration. */
  #ask(targets: readonly SiteId[]): void {
    const term = 1 + Math.max(this.#promised, ...this.#lies.map((lie) => lie.term));
    this.#asked.add(term);
    this.#post(targets, { type: 'VOTE_REQUEST', term, candidate: this.#voter, configuration: this.#truth() });
  }

  #tell(targets: readonly SiteId[], configuration: Configuration): void {
    const chance = this.#simulation.random();
    if (chance < 0.5) this.#post(targets, { type: 'CONFIGURATION', configuration, origin: this.#voter });
    else if (chance < 0.75) this.#post(targets, { type: 'REFUSE', term: configuration.term, configuration });
    else {
      const { term } = configuration;
      this.#post(targets, { type: 'VOTE_REQUEST', term, candidate: this.#voter, configuration });
    }
  }

  /** Newer than the truth, under its term or a later one. Under a term for which it may have been voted for, it is none that its coordinator may write. */
  #makeUp(): Configuration {
    const { random } = this.#simulation;
    const { term: present, version, base, voters } = this.#truth();
    const asked = Math.max(...this.#asked);
    const term = asked >= present && random() < 0.4 ? asked : this.#pick([present, this.#promised + 1]);
    const one = this.#pick(this.#others.map((id) => voterOf(id, this.#simulation.idOf(id))));
    // The site may be the coordinator of the present term.
    const mayFollow = term > present && !this.#asked.has(term) && random() < 0.5;
    const made = mayFollow
      ? Object.keys(voters).filter((voter) => voter !== one)
      : [one, this.#voter, ...['w', 'x', 'y', 'z'].map((name) => voterOf(name, 'made-up'))];
    return { term, version: version + 1, base, voters: setOf(made) };
  }

  get #voter(): SiteId {
    return voterOf(this.site, this.#id);
  }

  #post(targets: readonly SiteId[], said: MembersMessage): void {
    for (const target of targets) {
      const message = { ...said, type: `MEMBERS_${said.type}`, generation: this.#generation };
      const stamp = { seq: 0, clock: null };
      this.#mailbox!.post({ source: this.site, target, lock: membersLock, message, stamp });
    }
  }
}

const setOf = (sites: readonly SiteId[]) => Object.fromEntries(sites.map((site) => [site, true] as const));
