import { useCallback, useEffect, useRef, useState } from 'react';
import type { Explored, Laid, Sources } from '../protocol.ts';
import { type Address, addressOf, hashOf } from './address.ts';
import { type Data, textOf } from './data.ts';
import { type Beside, Inspector } from './inspector.tsx';
import { type Clocks, type Connection, follow } from './live.ts';
import { LockPicker } from './lock-picker.tsx';
import { LockTable } from './lock-table.tsx';
import { Problem, useUncaught, ViewGuard } from './problems.tsx';
import { relayApp } from './relay.ts';
import { useTheme } from './theme.ts';

/** The run in view. For an exploration, also the possible next steps. */
interface Shown extends Laid {
  readonly source: string;
  readonly lock: string | null;
  /** The run that is shown beside it. */
  readonly beside: Beside | null;
  readonly explored: Explored | null;
  /** `null`: the moment that the run is about. */
  readonly moment: number | null;
  /** Steps are added while it is shown. */
  readonly isLive: boolean;
  /** Present for a live run alone. */
  readonly clocks: Clocks | null;
}

/** Loads the run that the address names, and keeps the address in step with the view. */
export function App({ data }: { readonly data: Data }) {
  const [theme, toggleTheme] = useTheme();
  const [sources, setSources] = useState<Sources | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  /** The live source that is followed, if any, and the lock that the address names. */
  const [live, setLive] = useState<Pick<Shown, 'source' | 'lock'> | null>(null);

  const [connection, setConnection] = useState<Connection>({ state: 'connected' });
  const [isBoard, setBoard] = useState(false);
  const [uncaught, forgetUncaught] = useUncaught();

  /**
   * The address that was opened last, and whether its run is in view: a run that loads longer than the one
   * after it is not shown, and the run before it does not write the address meanwhile.
   */
  const opened = useRef({ hash: '', isShown: false });
  const open = useCallback(
    async (list: Sources, hash: string): Promise<void> => {
      const opening = { hash, isShown: false };
      opened.current = opening;
      const address = addressOf(hash);
      const head = list.sources.find(({ id }) => id === address.source) ?? list.sources[0];
      if (head === undefined) throw new Error('There is nothing to show.');
      if (head.kind === 'live') {
        const { lock } = address;
        setLive({ source: head.id, lock });
        setShown((before) => (before?.isLive && before.lock === lock ? before : null));
        setProblem(null);
        return;
      }
      setLive(null);
      const explored = head.kind === 'explore' ? await data.explored(address.path) : null;
      const { timeline, plans } = explored ?? (await data.timeline(head.id));
      // An exploration continues at the end of the path.
      const step = explored === null ? address.step : (address.step ?? timeline.steps.length);
      const moment = step === null ? null : Math.min(step, timeline.steps.length);
      const other =
        explored === null
          ? list.sources.find(
              ({ id, kind }) => id === address.beside && id !== head.id && kind === 'timeline',
            )
          : undefined;
      const beside =
        other === undefined
          ? null
          : { source: other.id, title: other.title, timeline: (await data.timeline(other.id)).timeline };
      if (opened.current !== opening) return;
      opening.isShown = true;
      setShown({
        source: head.id,
        lock: null,
        timeline,
        plans,
        explored,
        moment,
        beside,
        isLive: false,
        clocks: null,
      });
      setProblem(null);
    },
    [data],
  );
  const failed = useCallback((error: unknown) => setProblem(textOf(error)), []);

  useEffect(() => {
    const load = async () => {
      const list = await data.sources();
      setSources(list);
      await open(list, location.hash);
    };
    load().catch(failed);
  }, [data, open, failed]);

  useEffect(() => {
    if (sources === null) return;
    const followed = () => {
      open(sources, location.hash).catch(failed);
    };
    window.addEventListener('hashchange', followed);
    return () => window.removeEventListener('hashchange', followed);
  }, [sources, open, failed]);

  useEffect(() => {
    if (live === null) return;
    return follow(
      live.lock,
      (laid) => setShown({ ...live, ...laid, explored: null, beside: null, moment: 0, isLive: true }),
      setConnection,
    );
  }, [live]);

  const listens = sources?.listens === true;
  useEffect(() => (listens ? relayApp() : undefined), [listens]);

  const named = useCallback(
    (moment: number) => {
      if (shown === null) return;
      const { source, explored, isLive, beside } = shown;
      // Another address was opened: the run in view is the one before it, until the other is loaded.
      if (isLive || !opened.current.isShown || opened.current.hash !== location.hash) return;
      const path = explored?.path ?? [];
      const hash = hashOf({ source, step: moment, path, lock: null, beside: beside?.source ?? null });
      if (hash === location.hash) return;
      history.replaceState(null, '', hash);
      opened.current.hash = location.hash;
    },
    [shown],
  );
  const show = (address: Address) => {
    history.pushState(null, '', hashOf(address));
    open(sources!, location.hash).catch(failed);
  };

  const showLock = (lock: string) => {
    setBoard(false);
    if (live !== null) show({ source: live.source, step: null, path: [], lock, beside: null });
  };
  const locks = sources?.locks === true && live !== null && (
    <>
      <LockPicker data={data} onLock={showLock} />
      <button type="button" className="all-locks" onClick={() => setBoard(true)}>
        all locks
      </button>
    </>
  );

  const problems = [
    ...(problem === null ? [] : [{ text: problem, onClose: () => setProblem(null) }]),
    ...(uncaught === null ? [] : [{ text: uncaught, onClose: forgetUncaught }]),
  ];
  const isReady = sources !== null && shown !== null;
  return (
    <div className="app">
      {problems.map(({ text, onClose }) => (
        <Problem key={text} text={text} {...(isReady && { onClose })} />
      ))}
      {isBoard && <LockTable data={data} onLock={showLock} onClose={() => setBoard(false)} />}
      {isReady ? (
        <ViewGuard>
          <Inspector
            key={`${shown.source} ${shown.lock}`}
            data={data}
            sources={sources}
            source={shown.source}
            timeline={shown.timeline}
            plans={shown.plans}
            explored={shown.explored}
            beside={shown.beside}
            begin={shown.moment}
            isLive={shown.isLive}
            clocks={shown.clocks}
            connection={connection}
            locks={locks}
            theme={theme}
            onTheme={toggleTheme}
            onMoment={named}
            onShow={show}
          />
        </ViewGuard>
      ) : (
        <div className="waiting">
          {locks}
          {problem === null ? (
            <p>{waitingText(live, connection, listens)}</p>
          ) : (
            <button type="button" onClick={() => location.reload()}>
              Try again
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function waitingText(live: Pick<Shown, 'lock'> | null, connection: Connection, listens: boolean): string {
  if (live === null) return 'Loading ...';
  if (connection.state === 'refused') return connection.reason;
  if (connection.state === 'lost') return 'The server does not answer; trying again ...';
  if (listens) return 'No app has told anything yet ...';
  return live.lock === null ? 'No site has begun yet ...' : `No site tells of ${live.lock} yet ...`;
}
