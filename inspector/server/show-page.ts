import { builtPage } from './page.ts';
import { type Answer, servePage } from './server.ts';

/** Serves the page until `signal` says so. `hash`: the part of its address that says what is shown at first. */
export async function showPage(answer: Answer, port: number, signal: AbortSignal, hash = ''): Promise<void> {
  const files = await builtPage((text) => process.stderr.write(`${text}\n`));
  const { url, close } = await servePage(files, answer, port);
  await untilAborted({ url: `${url}${hash}`, close }, signal);
}

/** Tells where the page is, and closes it when `signal` says so. */
export async function untilAborted(
  page: { readonly url: string; close(): Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  process.stdout.write(`${page.url}\n`);
  if (process.stdout.isTTY) process.stderr.write('Ctrl-C ends it.\n');
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
  await page.close();
}
