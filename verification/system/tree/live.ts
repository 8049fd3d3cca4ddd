import {
  Actor,
  type AnyActor,
  type AnyActorLogic,
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  type EventObject,
  type InspectionEvent,
} from 'xstate';
import type { NamedAction } from '../../../machines/actor.ts';
import { effectOf } from '../../../statechart/run.ts';
import type { SystemError } from '../errors.ts';
import { replace, withClockAndChance } from '../purity.ts';
import { kindOf, type Outcomes, undeclared } from './outcomes.ts';
import { initialLeaves, takes } from './places.ts';

/*
 * A tree of XState's own actors (5.33) that neither clock nor outside world moves: XState makes every delivery, spawn
 * and stop itself. Logic that would start something outside is inert, timers are a list, and effects are collected.
 * Most of the parts used here are private to XState, which is why its version is pinned; live.test.ts compares with
 * actors that run.
 */

/** The parts of XState's Actor that are not public. */
export interface InnerActor {
  readonly id: string;
  readonly sessionId: string;
  readonly src: unknown;
  readonly systemId: string | undefined;
  readonly system: InnerSystem;
  readonly _parent: AnyActor | undefined;
  readonly _syncSnapshot: boolean | undefined;
  readonly mailbox: { start(): void };
  readonly _actorScope: AnyActorScope;
  logic: AnyActorLogic;
  _snapshot: unknown;
  _processingStatus: number;
}

interface InnerSystem {
  _bookId(): string;
  _register(session: string, actor: AnyActor): string;
  _set(systemId: string, actor: AnyActor): void;
  _relay(source: AnyActor | undefined, target: AnyActor, event: EventObject): void;
  readonly scheduler: Record<'schedule' | 'cancel' | 'cancelAll', unknown>;
}

export const inside = (actor: AnyActor): InnerActor => actor as unknown as InnerActor;

/** XState's own numbers. */
export const processing = { notStarted: 0, running: 1, stopped: 2 } as const;

export interface LiveTimer {
  readonly source: AnyActor;
  readonly target: AnyActor;
  readonly event: EventObject;
  /** `null`: the timer has no id of its own. */
  readonly id: string | null;
  /** The timer can no longer be stopped, neither by `cancel` nor by the end of its source. */
  lost: boolean;
  /** In ms. `null`: any delay, because it is computed or because all delays are any. */
  readonly delay: number | null;
  /** The timers that fire before it, as long as they are armed. */
  readonly after: Set<LiveTimer>;
}

/** The surroundings of a tree of actors, beside its machine. */
export interface Surroundings {
  readonly outcomes: Outcomes;
  /** The name of a function that stands as an action. */
  readonly placeOf: (action: unknown) => string | undefined;
  /** Reports whether the delay of this event of this machine is known: the armed event is then ordered. */
  readonly isKnown: (machine: unknown, event: EventObject) => boolean;
}

/** Anything may be thrown. */
export interface Failed {
  readonly error: unknown;
}

/** The name of an actor's logic: its `src`, or the id under which it runs. */
export function nameOf(actor: AnyActor): string {
  const { src, id } = inside(actor);
  return typeof src === 'string' && !src.startsWith('xstate.invoke.') ? src : id;
}

/** The effect for an event that an actor sent to another actor or to itself, and that no actor took. */
export const LOST = 'event lost';

/** The effect for a state that was entered and left within one step. */
export const PASSED = 'state passed';

type Nodes = AnyMachineSnapshot['_nodes'];

interface Microstep {
  readonly actorRef: AnyActor;
  readonly event: EventObject;
  readonly snapshot: AnyMachineSnapshot;
  readonly _transitions: readonly AnyTransitionDefinition[];
}

function idsDownTo(actor: AnyActor): string {
  const { _parent: parent, id } = inside(actor);
  if (!parent) return '';
  const above = idsDownTo(parent);
  return above === '' ? id : `${above}/${id}`;
}

const effectsOfBaton: ReadonlySet<string> = new Set(['send', 'broadcast', 'left', 'persist']);
const mostDeliveries = 1_000;
const mostMicrosteps = 10_000;

export class Live {
  root!: AnyActor;
  timers: LiveTimer[] = [];
  readonly effects: NamedAction[] = [];
  readonly taken = new Set<AnyTransitionDefinition>();
  /** The used ids, so that a new actor gets the smallest free one. */
  readonly #sessions = new Set<string>();
  readonly #given: Surroundings;
  /** Number of events that each callback or observable has sent. */
  readonly sent = new Map<AnyActor, number>();
  /** The event from outside of the tree: it may be ignored. */
  #outside: EventObject | null = null;
  /** The timers that this step has armed. */
  readonly #fresh = new Set<LiveTimer>();
  /** While a tree is filled no actor computes its first snapshot. */
  #filling: { readonly session: string | null } | null = null;
  readonly #started = new Set<AnyActor>();
  /** The states of the root before the step, and after each of its microsteps. */
  #before: Nodes | null = null;
  readonly #passed: Nodes[] = [];
  #deliveries = 0;
  #microsteps = 0;
  #system: InnerSystem | null = null;
  /** The refusal, or the endless step. It is kept here because XState catches every error within a step. */
  failure: SystemError | Error | null = null;

  constructor(given: Surroundings) {
    this.#given = given;
  }

  /** Starts the machine as XState would. */
  start(machine: AnyStateMachine, input: unknown): void {
    this.root = this.#create(machine, { input });
    this.root.start();
  }

  /** Returns every running actor, including orphans: two actors spawned under one key leave one. */
  running(): readonly AnyActor[] {
    return [...this.#started].filter((actor) => inside(actor)._processingStatus === processing.running);
  }

  relay(source: AnyActor | undefined, target: AnyActor, event: EventObject): void {
    this.#system!._relay(source, target, event);
  }

  /** All actors have been filled; the step follows. */
  begin(): void {
    this.#before = (this.root.getSnapshot() as AnyMachineSnapshot)._nodes;
  }

  /** The root takes an event from outside. */
  receive(event: EventObject): void {
    this.#outside = event;
    this.relay(undefined, this.root, event);
  }

  /** An actor that is not started and has no snapshot yet. `session`: its id, where XState made it. */
  fill(logic: AnyActorLogic, session: string | null, options: object): AnyActor {
    this.#filling = { session };
    try {
      return this.#create(logic, options);
    } finally {
      this.#filling = null;
    }
  }

  /** Takes `actor` into the system, where it takes events. */
  resume(actor: AnyActor): void {
    const { system, sessionId, systemId, mailbox, id, _parent, _syncSnapshot } = inside(actor);
    inside(actor)._processingStatus = processing.running;
    system._register(sessionId, actor);
    if (systemId !== undefined) system._set(systemId, actor);
    mailbox.start();
    if (!_syncSnapshot) return;
    actor.subscribe({
      next: (snapshot: { status: string }) => {
        if (snapshot.status === 'active')
          system._relay(actor, _parent!, { type: `xstate.snapshot.${id}`, snapshot } as EventObject);
      },
      error: () => {},
    });
  }

  #create(logic: AnyActorLogic, options: object): AnyActor {
    const isRoot = this.#system === null;
    const clock = { setTimeout: () => 0, clearTimeout: () => {} };
    const own = isRoot ? { clock, logger: () => {}, inspect: this.#inspect } : {};
    const actor = new Actor(logic, { ...own, ...options } as never) as AnyActor;
    // Without an observer XState throws the error of a root from a timer.
    if (isRoot) actor.subscribe({ error: () => {} });
    return actor;
  }

  readonly #inspect = (event: InspectionEvent): void => {
    switch (event.type as string) {
      case '@xstate.actor':
        this.#adopt(event.actorRef as AnyActor);
        return;
      case '@xstate.microstep':
        for (const transition of (event as { _transitions?: AnyTransitionDefinition[] })._transitions ?? [])
          this.taken.add(transition);
        if (++this.#microsteps > mostMicrosteps) {
          this.failure ??= new Error(`no rest after ${mostMicrosteps} microsteps`);
          throw this.failure;
        }
        this.#missed(event as unknown as Microstep);
        if (event.actorRef === this.root) this.#passed.push((event as unknown as Microstep).snapshot._nodes);
    }
  };

  /** Returns the failure of the machine in this step, or `null`. */
  failed(): Failed | null {
    if (this.failure !== null) return { error: this.failure };
    const { status, error } = this.root.getSnapshot() as { readonly status: string; readonly error: unknown };
    return status === 'error' ? { error } : null;
  }

  /** The states without states that were entered and left again in this step, in order. */
  passed(): readonly string[] {
    const paths = (nodes: readonly AnyStateNode[]) =>
      nodes.filter(({ type }) => type === 'atomic' || type === 'final').map(({ path }) => path.join('.'));
    const now = paths((this.root.getSnapshot() as AnyMachineSnapshot)._nodes);
    const before = this.#before === null ? [] : paths(this.#before);
    // XState does not tell of the step that enters the initial states.
    const first = this.#before === null ? initialLeaves((this.root.logic as AnyStateMachine).root) : [];
    const all = new Set([first, ...this.#passed].flatMap(paths));
    return [...all].filter((path) => !now.includes(path) && !before.includes(path));
  }

  /** XState drops an event that no active state names. An event that a guard turns down is not lost. */
  #missed({ actorRef, event, snapshot, _transitions }: Microstep): void {
    if (_transitions.length > 0 || snapshot.status !== 'active') return;
    if (actorRef === this.root && event === this.#outside) return;
    const isHeard = snapshot._nodes.some((node) =>
      [...node.transitions.keys()].some((descriptor) => takes(descriptor, event.type)),
    );
    if (!isHeard) this.#lose(actorRef, event);
  }

  #lose(target: AnyActor, { type }: EventObject): void {
    if (type.startsWith('xstate.')) return;
    const actor = idsDownTo(target);
    this.effects.push({ type: LOST, event: type, ...(actor !== '' && { actor }) } as NamedAction);
  }

  /** Called by XState's constructor of actors, before there is a snapshot. */
  #adopt(actor: AnyActor): void {
    const inner = inside(actor) as { -readonly [Key in keyof InnerActor]: InnerActor[Key] };
    this.#system ??= this.#tame(inner.system);
    const wasAuto = inner.id === inner.sessionId;
    const session = this.#filling?.session ?? this.#smallestFree();
    this.#sessions.add(session);
    inner.sessionId = session;
    if (wasAuto) inner.id = session;
    const scope = inner._actorScope as { -readonly [Key in keyof AnyActorScope]: AnyActorScope[Key] };
    scope.sessionId = session;
    scope.id = inner.id;
    const execute = scope.actionExecutor;
    scope.actionExecutor = (action) => execute(this.#collecting(action));
    scope.emit = (event) => this.effects.push({ ...event, type: `emit ${event.type}` });
    if (this.#filling) {
      inner.logic = unfilled;
      return;
    }
    try {
      inner.logic = this.inert(inner.logic, actor);
    } catch (error) {
      this.failure ??= error as Error;
      inner.logic = unfilled;
    }
  }

  /** Returns logic that starts nothing outside, in place of `logic`. */
  inert(logic: AnyActorLogic, actor: AnyActor): AnyActorLogic {
    const made = this.#inert(logic, actor);
    if (made !== logic) originals.set(made, logic);
    return made;
  }

  #inert(logic: AnyActorLogic, actor: AnyActor): AnyActorLogic {
    const name = nameOf(actor);
    const kind = kindOf(logic, name);
    if (kind === 'machine' || kind === 'transition') return logic;
    const outcome = Object.hasOwn(this.#given.outcomes, name) ? this.#given.outcomes[name] : undefined;
    if (outcome === undefined) throw undeclared(inside(this.root ?? actor).id, [{ name, kind }]);
    const { start: _, ...rest } = logic as AnyActorLogic & { start?: unknown };
    if (kind === 'promise') return rest as AnyActorLogic;
    if (kind === 'observable' || kind === 'event observable') {
      const transition: AnyActorLogic['transition'] = (snapshot, event, scope) => {
        const isStop = event.type === 'xstate.stop';
        const closed = isStop ? { ...snapshot, _subscription: { unsubscribe() {} } } : snapshot;
        return logic.transition(closed, event, scope);
      };
      return { ...rest, transition } as AnyActorLogic;
    }
    const { atStart = [] } = outcome;
    return {
      ...rest,
      start: (_state: unknown, { self, system }: AnyActorScope) => {
        const parent = inside(self as AnyActor)._parent;
        if (parent)
          for (const event of atStart)
            (system as unknown as InnerSystem)._relay(self as AnyActor, parent, event);
      },
      transition: (state: object, event: EventObject) =>
        event.type === 'xstate.stop' ? { ...state, status: 'stopped', error: undefined } : state,
    } as unknown as AnyActorLogic;
  }

  #smallestFree(): string {
    let number = 0;
    while (this.#sessions.has(`x:${number}`)) number++;
    return `x:${number}`;
  }

  #tame(system: InnerSystem): InnerSystem {
    const relay = system._relay;
    const register = system._register;
    system._register = (session, actor) => {
      this.#started.add(actor);
      return register(session, actor);
    };
    system._bookId = () => 'x:?';
    system._relay = (source, target, event) => {
      if (this.failure) return;
      if (++this.#deliveries > mostDeliveries) {
        this.failure = new Error(`no rest after ${mostDeliveries} deliveries`);
        return;
      }
      if (inside(target)._processingStatus === processing.stopped) this.#lose(target, event);
      relay(source, target, event);
    };
    Object.assign(system.scheduler, {
      schedule: (
        source: AnyActor,
        target: AnyActor,
        event: EventObject,
        delay: number,
        id: string | null = null,
      ) => {
        this.#loosen(source, id);
        this.#arm({ source, target, event, id }, delay);
      },
      cancel: (source: AnyActor, id: string) => {
        this.timers = this.timers.filter((timer) => timer.lost || timer.source !== source || timer.id !== id);
      },
      cancelAll: (source: AnyActor) => {
        this.timers = this.timers.filter((timer) => timer.lost || timer.source !== source);
      },
    });
    return system;
  }

  /**
   * Timers of one process run on one clock. One that was armed earlier fires earlier, unless its delay is longer; of two
   * that one step arms, the one with the shorter delay does.
   */
  #arm(armed: Pick<LiveTimer, 'source' | 'target' | 'event' | 'id'>, ms: number): void {
    const { logic } = inside(armed.source);
    const delay = this.#given.isKnown(logic, armed.event) ? ms : null;
    const timer: LiveTimer = { ...armed, lost: false, delay, after: new Set() };
    for (const other of delay === null ? [] : this.timers) {
      if (other.delay === null) continue;
      if (other.delay <= delay!) timer.after.add(other);
      else if (this.#fresh.has(other)) other.after.add(timer);
    }
    this.#fresh.add(timer);
    this.timers.push(timer);
  }

  /** Takes a timer off the list and delivers its event. */
  fire(index: number): void {
    const { source, target, event, id } = this.timers[index]!;
    this.timers.splice(index, 1);
    this.#loosen(source, id);
    this.relay(source, target, event);
  }

  /** XState knows one timer of each id of an actor: the others go on unknown. */
  #loosen(source: AnyActor, id: string | null): void {
    if (id === null) return;
    for (const timer of this.timers) if (timer.source === source && timer.id === id) timer.lost = true;
  }

  #collecting(action: Parameters<AnyActorScope['actionExecutor']>[0]): typeof action {
    const { type, params, exec } = action;
    if (type.startsWith('xstate.')) return action;
    const name = this.#given.placeOf(exec) ?? type;
    return {
      ...action,
      exec: (info, args) => {
        this.effects.push(effectOf(name, params));
        if (exec && !effectsOfBaton.has(type)) carryOut(() => exec(info, args));
      },
    };
  }
}

/** The logic that was given, by the logic that runs in its place. */
const originals = new WeakMap<object, AnyActorLogic>();

/** The logic that the actor was given. */
export function logicOf(actor: AnyActor): AnyActorLogic {
  const { logic } = inside(actor);
  return originals.get(logic) ?? logic;
}

/** In the place of logic, while an actor is constructed that is about to be given its snapshot. */
const unfilled = {
  transition: (snapshot: unknown) => snapshot,
  getInitialSnapshot: () => ({ status: 'active' }),
  getPersistedSnapshot: (snapshot: unknown) => snapshot,
} as unknown as AnyActorLogic;

/** Global variables of browsers, workers, Deno and Bun that Node 20 lacks. */
const globalsOfOthers: ReadonlySet<string> = new Set(
  (
    'window self document navigator location history screen localStorage sessionStorage indexedDB caches customElements alert ' +
    'confirm prompt open close print focus blur stop scroll scrollTo scrollBy moveTo resizeTo matchMedia getComputedStyle ' +
    'getSelection requestAnimationFrame cancelAnimationFrame requestIdleCallback cancelIdleCallback innerWidth innerHeight ' +
    'outerWidth outerHeight scrollX scrollY devicePixelRatio visualViewport parent top frames opener origin Audio Image Option ' +
    'AudioContext OfflineAudioContext webkitAudioContext speechSynthesis SpeechSynthesisUtterance SpeechRecognition ' +
    'webkitSpeechRecognition MediaRecorder MediaStream MediaSource RTCPeerConnection WebSocket EventSource XMLHttpRequest ' +
    'Worker SharedWorker ServiceWorker Notification FileReader DOMParser XMLSerializer DOMRect DOMMatrix Node Element ' +
    'HTMLElement HTMLInputElement HTMLVideoElement HTMLAudioElement HTMLCanvasElement SVGElement Range Selection MouseEvent ' +
    'PointerEvent KeyboardEvent FocusEvent InputEvent TouchEvent UIEvent WheelEvent DragEvent ClipboardEvent StorageEvent ' +
    'PopStateEvent HashChangeEvent CustomEvent CloseEvent MutationObserver IntersectionObserver ResizeObserver ' +
    'PerformanceObserver IDBKeyRange Path2D OffscreenCanvas ImageData createImageBitmap postMessage importScripts ' +
    'PaymentRequest Geolocation BarcodeDetector chrome browser Deno Bun'
  ).split(' '),
);

/**
 * Runs an effect, which may send to actors or change a value that it must not. It reaches nothing outside: an
 * effect that needs a browser ends quietly.
 */
export function carryOut(effect: () => void): void {
  try {
    withClockAndChance(effect);
  } catch (error) {
    const [, missing] =
      error instanceof ReferenceError ? (/^(\S+) is not defined$/.exec(error.message) ?? []) : [];
    if (missing === undefined || !globalsOfOthers.has(missing)) throw error;
  }
}

const silenced = ['log', 'info', 'warn', 'error', 'debug', 'trace', 'table', 'dir'];

/** Runs a step with everything outside of it closed: no console, no requests, no timers of the host. */
export function apart<Result>(step: () => Result): Result {
  const open = [
    ...silenced.map((key) => replace(console, key, () => {})),
    ...['setTimeout', 'setInterval', 'setImmediate'].map((key) => replace(globalThis, key, () => 0)),
    replace(globalThis, 'fetch', () => new Promise(() => {})),
  ];
  try {
    return step();
  } finally {
    for (const restore of open) restore();
  }
}
