import { useCallback, useEffect, useRef, useState } from 'react';

export interface Player {
  readonly moment: number;
  readonly isPlaying: boolean;
  /** Steps per second. */
  readonly speed: number;
  go(moment: number): void;
  play(on: boolean): void;
  setSpeed(speed: number): void;
}

export const speeds = [0.5, 1, 2, 4, 8, 16, 60, 250] as const;

/**
 * The position of the page in the run. `last` is the run's last moment. In a live run, a page at the end
 * stays at the end.
 */
export function usePlayer(last: number, begin: number, isLive: boolean): Player {
  // The end of a live run is no number: it moves, and the page moves with it in the same drawing.
  const [place, setPlace] = useState<number | 'end'>(isLive ? 'end' : begin);
  const moment = place === 'end' ? last : Math.min(place, last);
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const setMoment = useCallback(
    (next: (now: number) => number) =>
      setPlace((before) => {
        const to = Math.max(0, Math.min(last, next(before === 'end' ? last : Math.min(before, last))));
        return isLive && to === last ? 'end' : to;
      }),
    [last, isLive],
  );
  const go = useCallback((to: number) => setMoment(() => to), [setMoment]);

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
  return { moment, isPlaying, speed, go, play, setSpeed };
}
