import { createRequire } from 'node:module';
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chrome, launch } from '../../cli/testing/browser.ts';
import { systems } from '../../verification/protocols/systems.ts';
import { chartOf } from '../../verification/timeline/chart.ts';
import type { Chart, ChartState, Timeline } from '../../verification/timeline/format.ts';
import { graphvizChart, mermaidChart } from '../page/exports/chart.ts';
import { mermaidSequence } from '../page/exports/sequence.ts';
import { longRun } from '../page/testing/long-run.ts';

/* Gives the exported files to the tools they are for: those tools decide whether they can read them, not a pattern. */

const odd = 'a "quoted"; <b> #1: %% \\ end';

const names = Object.keys(systems).filter((name) => !name.startsWith('epoch-'));
const charts: readonly (readonly [string, Chart])[] = names.map((name) => {
  const { actors } = systems[name]!({
    sites: name.startsWith('link') ? 2 : 3,
    network: { order: 'fifo' },
  });
  return [name, chartOf(Object.values(actors)[0]!.machine)];
});

const leaf: Omit<ChartState, 'id' | 'key'> = {
  type: 'atomic',
  initial: null,
  entry: [],
  exit: [],
  children: [],
};
const oddChart: Chart = {
  id: 'odd',
  root: {
    ...leaf,
    id: 'odd',
    key: odd,
    type: 'compound',
    initial: odd,
    children: [
      { ...leaf, id: 'odd.1', key: odd },
      { ...leaf, id: 'odd.2', key: 'end' },
    ],
  },
  transitions: [
    { id: '1', source: 'odd.1', targets: ['odd.2'], event: odd, guard: odd, actions: [] },
    { id: '2', source: 'odd.2', targets: ['odd.1'], event: '', guard: null, actions: [] },
  ],
};

function leaves({ children, key }: ChartState): readonly string[] {
  return children.length === 0 ? [key] : children.flatMap(leaves);
}

const run = longRun(12, [odd, 'b']);
const lossy: Timeline = {
  ...run,
  messages: run.messages.map((message, index) => ({
    ...message,
    message: { type: 'TOKEN', of: odd },
    fate: index === 0 ? 'lost' : message.fate,
  })),
};

describe('Graphviz reads a statechart', () => {
  it.each([...charts, ['odd names', oddChart] as const])('of %s', async (_, chart) => {
    const graphviz = await Graphviz.load();
    const { objects, edges } = JSON.parse(graphviz.layout(graphvizChart(chart), 'json', 'dot')) as {
      readonly objects: readonly { readonly name: string; readonly label: string; readonly shape?: string }[];
      readonly edges: readonly { readonly label: string }[];
    };
    const drawn = objects.filter(({ name, shape }) => !name.startsWith('cluster') && shape !== 'point');
    const said = drawn.map(({ label }) => label.replaceAll('\\\\', '\\'));
    expect(said.sort()).toEqual([...leaves(chart.root)].sort());
    expect(edges).toHaveLength(chart.transitions.length);
  });
});

describe.skipIf(chrome === null)('Mermaid draws', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launch();
    page = await browser.newPage();
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve('@mermaid-js/tiny') });
  });
  afterAll(() => browser.close());

  /** How often each of these selectors is in what it draws, and all that stands in it. */
  async function drawn(text: string, selectors: readonly string[]) {
    const [svg, said] = (await page.evaluate(`(async () => {
      const { svg } = await mermaid.render('drawn', ${JSON.stringify(text)});
      document.body.innerHTML = svg;
      return [svg, document.body.textContent];
    })()`)) as [string, string];
    expect(svg).toMatch(/^<svg /);
    const counts = await Promise.all(selectors.map((selector) => page.locator(selector).count()));
    return { counts, said };
  }

  it.each([...charts, ['odd names', oddChart] as const])('the statechart of %s', async (_, chart) => {
    const { counts, said } = await drawn(mermaidChart(chart), [
      'path.transition',
      'g.node.statediagram-state',
    ]);
    const initials = (state: ChartState): number =>
      (state.initial === null ? 0 : 1) + state.children.reduce((sum, child) => sum + initials(child), 0);
    const pairs = new Set(
      chart.transitions.map(({ source, targets: [target = source] }) => `${source} ${target}`),
    );
    expect(counts).toEqual([pairs.size + initials(chart.root), leaves(chart.root).length]);
    for (const key of leaves(chart.root)) expect(said).toContain(key);
    for (const { event, guard } of chart.transitions) {
      expect(said).toContain(`${event === '' ? 'always' : event}${guard === null ? '' : ` [${guard}]`}`);
    }
  });

  it('a run, with every message', async () => {
    const { counts, said } = await drawn(mermaidSequence(lossy), ['.messageText', 'g[data-et=participant]']);
    expect(counts[0]).toBe(lossy.messages.length);
    expect(said).toContain(odd);
  });
});
