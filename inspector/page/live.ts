import type { Timeline } from '../../verification/timeline/format.ts';
import type { LiveFrame } from '../protocol.ts';

/** Follows a running cluster, one lock of it; `shown` is called with all that is known, `lost` when it is over. Returns how to end it. */
export function follow(
  lock: string | null,
  shown: (timeline: Timeline) => void,
  lost: (reason: string) => void,
): () => void {
  const { protocol, host } = location;
  const of = lock === null ? '' : `?${new URLSearchParams({ lock })}`;
  const socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/api/live${of}`);
  let timeline: Timeline | null = null;
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    timeline = told(timeline, JSON.parse(data) as LiveFrame);
    if (timeline !== null) shown(timeline);
  };
  let isOver = false;
  socket.onclose = ({ reason }) => {
    if (!isOver) lost(reason || 'The server is gone: this is the last that was seen.');
  };
  return () => {
    isOver = true;
    socket.close();
  };
}

/** What is known after a frame. */
export function told(before: Timeline | null, frame: LiveFrame): Timeline | null {
  if (frame.type === 'whole') return frame.timeline;
  if (before === null) return null;
  const letters = [...before.letters];
  for (const [index, letter] of frame.letters) letters[index] = letter;
  return { ...before, steps: [...before.steps, ...frame.steps], letters };
}
