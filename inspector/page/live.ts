import { cannotBeShown, type Laid, type LiveFrame } from '../protocol.ts';
import { after } from './frames.ts';

/** The connection of a page that shows a running cluster. */
export type Connection =
  | { readonly state: 'connected' }
  /** It is dialled again. `since`: milliseconds since 1970. */
  | { readonly state: 'lost'; readonly since: number }
  /** The server refuses or cannot continue. It is not dialled again. */
  | { readonly state: 'refused'; readonly reason: string };

/** The time at each site by its own clock, `heardAtMs` on this page's: the time now is known as long as the page is told of. */
export interface Clocks {
  readonly at: LiveFrame['clocks'];
  readonly heardAtMs: number;
}

/** A run that goes on, as it is known. */
export interface LiveLaid extends Laid {
  readonly clocks: Clocks;
}

const firstRetryMs = 400;
const longestRetryMs = 5_000;

/**
 * Follows one lock of a running cluster. A connection that ends is dialled again until `close` is called.
 * Meanwhile the last view stays.
 *
 * @returns `close`.
 */
export function follow(
  lock: string | null,
  shown: (laid: LiveLaid) => void,
  told: (connection: Connection) => void,
): () => void {
  const { protocol, host } = location;
  const query = lock === null ? '' : `?${new URLSearchParams({ lock })}`;
  const url = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/api/live${query}`;
  let isClosed = false;
  let retryMs = firstRetryMs;
  let since: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket;
  const dial = () => {
    let laid: Laid | null = null;
    socket = new WebSocket(url);
    socket.onopen = () => {
      retryMs = firstRetryMs;
      since = null;
      told({ state: 'connected' });
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      const frame = JSON.parse(data) as LiveFrame;
      laid = after(laid, frame);
      if (laid !== null) shown({ ...laid, clocks: { at: frame.clocks, heardAtMs: performance.now() } });
    };
    socket.onclose = ({ code, reason }) => {
      if (isClosed) return;
      if (code === cannotBeShown) {
        told({ state: 'refused', reason });
        return;
      }
      since ??= Date.now();
      told({ state: 'lost', since });
      timer = setTimeout(dial, retryMs);
      retryMs = Math.min(longestRetryMs, retryMs * 2);
    };
  };
  dial();
  return () => {
    isClosed = true;
    clearTimeout(timer);
    socket.close();
  };
}
