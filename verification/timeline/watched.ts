import type { SiteId } from '../../machines/actor.ts';
import { eventsPerLife } from '../../machines/record.ts';
import type { WatchTold } from '../../machines/watch.ts';
import type { Happening } from './causal-order.ts';
import { type TellingOf, TimelineBuilder } from './timeline-builder.ts';

interface Item {
  /** When it happened, by its site's clock. */
  readonly at: number;
  /** When it came here. */
  readonly came: number;
  readonly happening: Happening;
  /** The number of the site's last event, once this is told. */
  readonly seq: number | null;
}

interface Source {
  readonly items: Item[];
  /** Of the last event that has been told. */
  seq: number | null;
  /** Is a window open, as far as has been told? */
  isOpen: boolean;
}

/** What was sent by an event of which nothing has been heard for so long was sent outside every window. */
const patienceMs = 1_500;
/** So many moments of a look are judged at most. */
const judgedOfALook = 40;

/** One lock of a running cluster, as the sites that are watched tell of it, in one order that respects causality. */
export class Watched {
  readonly #of: TellingOf;
  readonly #now: () => number;
  readonly #sources = new Map<SiteId, Source>();
  #telling: TimelineBuilder | null = null;

  /** `now`: any monotonic clock, in milliseconds. */
  constructor(of: TellingOf, now: () => number = () => performance.now()) {
    this.#of = of;
    this.#now = now;
  }

  /** What has been told so far; `null` before anything has been seen. */
  get telling(): TimelineBuilder | null {
    return this.#telling;
  }

  /** `site` is watched from now on. */
  attached(site: SiteId): void {
    if (!this.#sources.has(site)) this.#sources.set(site, { items: [], seq: null, isOpen: false });
  }

  /** What `site` told of the lock. */
  told(site: SiteId, told: WatchTold): void {
    const add = (at: number, happening: Happening, seq: number | null = null) =>
      this.#sources.get(site)!.items.push({ at, came: this.#now(), happening, seq });
    switch (told.type) {
      case 'site':
      case 'found':
        return;
      case 'window': {
        const { at, now } = told;
        // How many were missed is known once what came before has been told.
        add(at, { type: 'seen', site, snapshot: now?.snapshot ?? null, missed: 0 }, now?.seq ?? null);
        return;
      }
      case 'lines':
        for (const [at, line] of told.lines) {
          if (line.kind === 'event') add(at, { type: 'event', line }, line.seq);
          else if (line.kind === 'link') add(at, { type: 'link', line });
          else add(at, { type: 'start', line, isFirst: false });
        }
        return;
      case 'end':
        add(told.at, { type: 'unseen', site });
    }
  }

  /** Nothing more will come of `site`. */
  gone(site: SiteId): void {
    const source = this.#sources.get(site)!;
    const at = source.items.at(-1)?.at ?? 0;
    source.items.push({ at, came: this.#now(), happening: { type: 'unseen', site }, seq: null });
  }

  /** Tells what has come, as far as its order is known. After more than `most` steps all begins anew: then it is true. */
  follow(most: number): { readonly begunAnew: boolean } {
    const happenings = [...this.#ready()];
    if (happenings.length === 0) return { begunAnew: false };
    this.#telling ??= new TimelineBuilder(this.#of, { isWatched: true });
    const telling = this.#telling;
    const watched = [...this.#sources.keys()].sort().join(', ');
    telling.about = `lock ${this.#of.lock}: ${this.#of.machine}, live; watched: ${watched}`;
    const begunAnew = telling.steps.length > 0 && telling.steps.length + happenings.length > most;
    if (begunAnew) telling.beginAnew();
    const every = Math.ceil(happenings.length / judgedOfALook);
    for (const [index, happening] of happenings.entries()) {
      const next = happenings[index + 1];
      // The moment before a window ends is the last of which all is known.
      telling.isJudging = index % every === 0 || next === undefined || next.type === 'unseen';
      telling.tell(happening);
    }
    return { begunAnew };
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
    if (happening.type === 'unseen') {
      if (!source.isOpen) return;
      source.isOpen = false;
    } else source.isOpen = true;
    yield happening.type === 'seen' ? { ...happening, missed } : happening;
  }

  /** A receipt comes after its sending, where that will be told of. */
  #isReady({ happening, came }: Item): boolean {
    const cause = happening.type === 'event' ? happening.line.cause : null;
    const source = cause === null ? undefined : this.#sources.get(cause.site);
    if (cause === null || source === undefined || (source.seq !== null && source.seq >= cause.seq))
      return true;
    const mayCome = source.isOpen || source.items.some((item) => item.happening.type !== 'unseen');
    return !mayCome || this.#now() - came > patienceMs;
  }
}

/** How many events there are after one and up to another, of the last life if there was another. */
function between(seq: number, last: number): number {
  const isSameLife = Math.floor(seq / eventsPerLife) === Math.floor(last / eventsPerLife);
  return isSameLife ? last - seq : last % eventsPerLife;
}
