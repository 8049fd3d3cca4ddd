/**
 * Relays an app that has opened this page in a window or a frame of the browser, by `createBrowserInspector({
 * url })` of @statelyai/inspect. Passes its messages on to the server of the page. Returns a function that
 * ends the relay.
 */
export function relayApp(): () => void {
  const app = (window.opener as Window | null) ?? (window.parent === window ? null : window.parent);
  if (app === null) return () => undefined;
  const { protocol, host } = location;
  const socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/stately`);
  let hasHeard = false;
  const heard = ({ source, origin, data }: MessageEvent<unknown>) => {
    if (source !== app || !isOnLoopback(origin) || !isTold(data)) return;
    hasHeard = true;
    socket.send(JSON.stringify(data));
  };
  // Until then the app buffers its messages. It knows a frame only after the frame has loaded.
  const connect = () => app.postMessage({ type: '@statelyai.connected' }, '*');
  let timer: ReturnType<typeof setTimeout>;
  const ask = (nextMs: number) => {
    if (hasHeard) return;
    connect();
    timer = setTimeout(ask, nextMs, 1_000);
  };
  socket.onopen = () => {
    window.addEventListener('message', heard);
    timer = setTimeout(ask, 50, 950);
  };
  return () => {
    clearTimeout(timer);
    window.removeEventListener('message', heard);
    socket.close();
  };
}

function isTold(data: unknown): boolean {
  return typeof data === 'object' && data !== null && '_version' in data && 'type' in data;
}

function isOnLoopback(origin: string): boolean {
  return URL.canParse(origin) && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(new URL(origin).hostname);
}
