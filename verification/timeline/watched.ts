import type { SiteId } from '../../machines/actor.ts';
import { eventsPerLife } from '../../machines/record.ts';
import type { WatchTold } from '../../machines/watch.ts';
import type { Happening } from './causal-order.ts';
import { type TellingOf, TimelineBuilder } from './timeline-builder.ts';

interface Item {
  /** The time of the happening, by its site's clock. */
  readonly at: number;
  /** The time of its arrival here. */
  readonly came: number;
  readonly happening: Happening;
  /** The number of the site's last event after this happening. */
  readonly seq: number | null;
}

interface Source {
  readonly items: Item[];
  /** `seq` of the last event that was added. */
  seq: number | null;
  /** True while a window is open, as far as its happenings were added. */
  isOpen: boolean;
  /** True from the end of the connection until a window opens again. */
  isGone: boolean;
  /** The time by the site's clock less the time here, in milliseconds, as far as the reports tell. */
  ahead: number | null;
}

/** If the sending event has not been reported for this long, it was outside every window. */
const patienceMs = 1_500;
/** Maximum number of judged moments per call of `follow`. */
const judgedOfALook = 40;

/** One lock of a running cluster, as the watched sites report it, in one order that respects causality. */
export class Watched {
  readonly #of: TellingOf;
  readonly #now: () => number;
  readonly #sources = new Map<SiteId, Source>();
  #telling: TimelineBuilder | null = null;

  /** `now` is any monotonic clock, in milliseconds. */
  constructor(of: TellingOf, now: () => number = () => performance.now()) {
    this.#of = of;
    this.#now = now;
  }

  /** The timeline so far. `null` before anything has been seen. */
  get telling(): TimelineBuilder | null {
    return this.#telling;
  }

  /** `site` is watched from now on. */
  attached(site: SiteId): void {
    if (!this.#sources.has(site))
      this.#sources.set(site, { items: [], seq: null, isOpen: false, isGone: false, ahead: null });
  }

  /** Adds a report of `site` on the lock. */
  told(site: SiteId, told: WatchTold): void {
    const add = (at: number, happening: Happening, seq: number | null = null) =>
      this.#sources.get(site)!.items.push({ at, came: this.#now(), happening, seq });
    switch (told.type) {
      case 'site':
      case 'found':
        return;
      case 'window': {
        const { at, now, sinceMs, stood } = told;
        const since = sinceMs === undefined || sinceMs === null ? {} : { since: at - sinceMs };
        // The number of missed events is known once the earlier reports have been added.
        const seen = {
          type: 'seen',
          site,
          at,
          snapshot: now?.snapshot ?? null,
          missed: 0,
          ...since,
          ...(stood && { stood: { epoch: stood.epoch, at: at - stood.agoMs, because: stood.because } }),
        } as const;
        add(at, seen, now?.seq ?? null);
        this.#hearClock(site, at);
        return;
      }
      case 'lines':
        for (const [at, line] of told.lines) {
          this.#hearClock(site, at);
          if (line.kind === 'event') add(at, { type: 'event', line: { ...line, at } }, line.seq);
          else if (line.kind === 'link') add(at, { type: 'link', line: { ...line, at } });
          else add(at, { type: 'start', line: { ...line, at }, isFirst: false });
        }
        return;
      case 'end':
        add(
          told.at,
          told.why === 'closed' ? { type: 'gone', site, at: told.at } : { type: 'unseen', site, at: told.at },
        );
    }
  }

  /** No more reports will come from `site`. */
  gone(site: SiteId): void {
    const source = this.#sources.get(site)!;
    const came = this.#now();
    const at = source.ahead === null ? undefined : Math.round(source.ahead + came);
    const happening: Happening = { type: 'gone', site, ...(at !== undefined && { at }) };
    source.items.push({ at: source.items.at(-1)?.at ?? 0, came, happening, seq: null });
  }

  /** The time now at each site whose connection stands, by its own clock: milliseconds since 1970. */
  get clocks(): Readonly<Record<SiteId, number>> {
    const now = this.#now();
    const known = [...this.#sources].filter(([, { ahead, isGone }]) => ahead !== null && !isGone);
    return Object.fromEntries(known.map(([site, { ahead }]) => [site, Math.round(ahead! + now)]));
  }

  /** The report that came soonest tells the most. */
  #hearClock(site: SiteId, at: number): void {
    const source = this.#sources.get(site)!;
    source.ahead = Math.max(source.ahead ?? Number.NEGATIVE_INFINITY, at - this.#now());
  }

  /**
   * Adds the reports whose order is known by now. At most `most` steps are kept, the newest.
   */
  follow(most: number): void {
    const happenings = [...this.#ready()];
    if (happenings.length === 0) return;
    this.#telling ??= new TimelineBuilder(this.#of, { isLive: true, isWatched: true });
    const telling = this.#telling;
    const watched = [...this.#sources.keys()].sort().join(', ');
    telling.about = `lock ${this.#of.lock}: ${this.#of.machine}, live; watched: ${watched}`;
    const every = Math.ceil(happenings.length / judgedOfALook);
    for (const [index, happening] of happenings.entries()) {
      const next = happenings[index + 1];
      // The moment before a window ends is the last one that is completely known.
      telling.isJudging = index % every === 0 || next === undefined || isEnd(next);
      telling.tell(happening);
    }
    telling.keep(most);
  }

  *#ready(): Generator<Happening> {
    for (;;) {
      let first: Source | null = null;
      for (const source of this.#sources.values()) {
        const [head] = source.items;
        if (head === undefined || !this.#isReady(head)) continue;
        if (first === null || head.at < first.items[0]!.at) first = source;
      }
      if (first === null) return;
      yield* this.#taken(first);
    }
  }

  *#taken(source: Source): Generator<Happening> {
    const { happening, seq } = source.items.shift()!;
    const missed = seq === null || source.seq === null ? 0 : between(source.seq, seq);
    if (seq !== null) source.seq = seq;
    // Each attempt to connect again ends, too.
    if (isEnd(happening)) {
      if (happening.type === 'gone' ? source.isGone : !source.isOpen) return;
      source.isOpen = false;
      source.isGone = happening.type === 'gone';
    } else {
      source.isOpen = true;
      source.isGone = false;
    }
    yield happening.type === 'seen' ? { ...happening, missed } : happening;
  }

  /** A receipt waits for its sending if the sending will be reported. */
  #isReady({ happening, came }: Item): boolean {
    const cause = happening.type === 'event' ? happening.line.cause : null;
    const source = cause === null ? undefined : this.#sources.get(cause.site);
    if (cause === null || source === undefined || (source.seq !== null && source.seq >= cause.seq))
      return true;
    const mayCome = source.isOpen || source.items.some((item) => !isEnd(item.happening));
    return !mayCome || this.#now() - came > patienceMs;
  }
}

function isEnd({ type }: Happening): boolean {
  return type === 'unseen' || type === 'gone';
}

/**
 * The number of events after `seq` up to `last`. If `last` is in another run, only events of that run count.
 */
function between(seq: number, last: number): number {
  const isSameLife = Math.floor(seq / eventsPerLife) === Math.floor(last / eventsPerLife);
  return isSameLife ? last - seq : last % eventsPerLife;
}
