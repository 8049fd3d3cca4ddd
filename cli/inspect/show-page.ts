import { builtPage } from './page.ts';
import { type Answer, type PageServer, servePage } from './server.ts';

/** Serves the page until `signal` says so; tells its address on standard output. */
export async function showPage(
  answer: Answer,
  port: number,
  signal: AbortSignal,
  opened: (server: PageServer) => void = () => undefined,
): Promise<void> {
  const files = await builtPage((text) => process.stderr.write(`${text}\n`));
  const server = await servePage(files, answer, port);
  opened(server);
  process.stdout.write(`${server.url}\n`);
  if (process.stdout.isTTY) process.stderr.write('Ctrl-C ends it.\n');
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
  await server.close();
}
