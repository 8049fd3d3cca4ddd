import { describe, expect, it } from 'vitest';
import type { Chart, Timeline } from '../../../verification/timeline/format.ts';
import { longRun } from '../testing/long-run.ts';
import { graphvizChart, mermaidChart } from './chart.ts';
import { mermaidSequence, shiVizLog } from './sequence.ts';

const run = longRun(8, ['a', 'b']);
const lost: Timeline = {
  ...run,
  messages: run.messages.map((message, index) => (index === 0 ? { ...message, fate: 'lost' } : message)),
};

const leaf = (key: string) => ({
  id: `site.client.${key}`,
  key,
  type: 'atomic' as const,
  initial: null,
  entry: [],
  exit: [],
  children: [],
});
const chart: Chart = {
  id: 'site',
  root: {
    ...leaf(''),
    id: 'site',
    key: 'site',
    type: 'parallel',
    children: [
      {
        ...leaf(''),
        id: 'site.client',
        key: 'client',
        type: 'compound',
        initial: 'idle',
        children: [leaf('idle'), leaf('in "CS"')],
      },
    ],
  },
  transitions: [
    {
      id: '1',
      source: 'site.client.idle',
      targets: ['site.client.in "CS"'],
      event: 'ask',
      guard: 'token',
      actions: [],
    },
    {
      id: '2',
      source: 'site.client',
      targets: ['site.client.idle'],
      event: 'reset',
      guard: null,
      actions: [],
    },
    { id: '3', source: 'site', targets: [], event: '*', guard: null, actions: [] },
  ],
};

describe('a run for other tools', () => {
  it('as a Mermaid sequence diagram has each message once, with its end', () => {
    const text = mermaidSequence(lost);
    expect(text.match(/^ {2}p\d(->>|-x|--\))p\d: TOKEN/gm)).toHaveLength(run.messages.length);
    expect(text.match(/-x/g)).toHaveLength(1);
    expect(text.match(/--\)/g)).toHaveLength(1);
    expect(text.split('\n').slice(0, 3)).toEqual([
      'sequenceDiagram',
      '  participant p0 as a',
      '  participant p1 as b',
    ]);
  });

  it('as a log for ShiViz orders each receipt after its sending', () => {
    const [format, , ...lines] = shiVizLog(run).trimEnd().split('\n');
    expect(format).toContain('(?<clock>');
    expect(lines).toHaveLength(run.steps.length * 2);
    const clocks = lines.filter((_, index) => index % 2 === 1).map((line) => JSON.parse(line.slice(2)));
    for (const [index, { message, site }] of run.steps.entries()) {
      if (message === null) continue;
      const { sent, source } = run.messages[message]!;
      expect(clocks[index][source!]).toBe(clocks[sent - 1][source!]);
      expect(clocks[index][site]).toBeGreaterThan(0);
    }
  });
});

describe('a statechart for other tools', () => {
  it('for Mermaid has its states, regions, transitions, and active states', () => {
    const text = mermaidChart(chart, { client: 'idle' });
    expect(text).toContain('state "in #34;CS#34;" as s3');
    expect(text).toContain('[*] --> s2');
    expect(text.match(/ : /g)).toHaveLength(3);
    expect(text).toContain('class s2 active');
  });

  it('for Graphviz has a cluster for each state with children', () => {
    const text = graphvizChart(chart, { client: 'idle' });
    expect(text.match(/subgraph cluster_/g)).toHaveLength(2);
    expect(text).toContain('s2 -> s3 [label="ask [token]"]');
    expect(text).toContain('[label="in \\"CS\\""]');
    expect(text.match(/[{}]/g)).toHaveLength(6);
  });
});
