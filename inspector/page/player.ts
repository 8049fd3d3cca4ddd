import { useCallback, useEffect, useRef, useState } from 'react';

export interface Player {
  readonly moment: number;
  readonly isPlaying: boolean;
  /** Steps per second. */
  readonly speed: number;
  go(moment: number): void;
  /** To the last moment, and with the run if it goes on. */
  end(): void;
  play(on: boolean): void;
  setSpeed(speed: number): void;
}

type SetPlace = (next: (before: Place) => Place) => void;

export const speeds = [0.5, 1, 2, 4, 8, 16, 60, 250] as const;

/**
 * A position in a run: the number of a step, also counted over steps that are no longer kept, or the end of a live run. The end is no
 * number: it moves, and the page moves with it in the same drawing.
 */
export type Place = number | 'end';

/** The run that the player moves through. */
export interface Reel {
  /** Number of steps before the first moment that are no longer kept. */
  readonly forgotten: number;
  /** The last moment. */
  readonly last: number;
  readonly isLive: boolean;
  /** Steps are added to what is shown: a page at the end stays at the end. */
  readonly isGrowing: boolean;
}

/** The position of the page in the run. */
export function usePlayer(
  { forgotten, last, isLive, isGrowing }: Reel,
  place: Place,
  setPlace: SetPlace,
): Player {
  const moment = place === 'end' ? last : Math.max(0, Math.min(place - forgotten, last));
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const setMoment = useCallback(
    (next: (now: number) => number) =>
      setPlace((before) => {
        const now = before === 'end' ? last : Math.min(before - forgotten, last);
        const to = Math.max(0, Math.min(last, next(now)));
        return isGrowing && to === last ? 'end' : to + forgotten;
      }),
    [last, forgotten, isGrowing, setPlace],
  );
  const go = useCallback((to: number) => setMoment(() => to), [setMoment]);
  const end = useCallback(() => (isLive ? setPlace(() => 'end') : go(last)), [isLive, setPlace, go, last]);

  const elapsed = useRef(0);
  useEffect(() => {
    if (!isPlaying) return;
    let before = performance.now();
    let frame = requestAnimationFrame(function tick(now) {
      elapsed.current += ((now - before) / 1_000) * speed;
      before = now;
      const steps = Math.floor(elapsed.current);
      if (steps > 0) {
        elapsed.current -= steps;
        setMoment((at) => at + steps);
      }
      frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [isPlaying, speed, setMoment]);

  useEffect(() => {
    if (isPlaying && moment >= last) setPlaying(false);
  }, [isPlaying, moment, last]);

  const play = useCallback(
    (on: boolean) => {
      elapsed.current = 0.5;
      if (on) setMoment((at) => (at >= last ? 0 : at));
      setPlaying(on);
    },
    [last, setMoment],
  );
  return { moment, isPlaying, speed, go, end, play, setSpeed };
}
