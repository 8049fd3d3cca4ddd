import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch } from '../../cli/testing/browser.ts';
import { beginInspector, beginSites } from './cluster.ts';

const everyMs = 30_000;

/**
 * The memory of a page that follows a cluster, and of its server, over minutes: each after a collection of
 * garbage, so a number that rises is a leak. The sites rest, so that all of their events are seen.
 */
export async function measureMemory(given: readonly string[]): Promise<void> {
  const [minutes = 10, restMs = 20] = given.map(Number);
  const sites = await beginSites(3, restMs);
  const inspector = await beginInspector(sites);
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(inspector.url.href);
    await page.waitForSelector('.forest .site');
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const heaps: number[] = [];
    for (let at = 0; at <= minutes * 60_000; at += everyMs) {
      if (at > 0) await sleep(everyMs);
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      const heap = metrics.find(({ name }) => name === 'JSHeapUsedSize')!.value / 1e6;
      heaps.push(heap);
      const nodes = metrics.find(({ name }) => name === 'Nodes')!.value;
      const steps = (await page.locator('.now b').innerText()).split(' / ')[1];
      console.log(
        `${(at / 60_000).toFixed(1)} min: page ${heap.toFixed(1)} MB, ${nodes} nodes, ${steps} steps in view; server ${residentMb(inspector.child.pid!)} MB`,
      );
    }
    const half = heaps.length >> 1;
    const most = (some: readonly number[]) => Math.max(...some);
    console.log(
      `\nthe page takes at most ${most(heaps.slice(0, half)).toFixed(1)} MB in the first half, ${most(heaps.slice(half)).toFixed(1)} MB in the second`,
    );
  } finally {
    await browser.close();
    for (const { child } of [...sites, inspector]) child.kill('SIGKILL');
  }
}

/** Linux only. */
function residentMb(pid: number): string {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return (Number(kilobytes) / 1e3).toFixed(0);
}
