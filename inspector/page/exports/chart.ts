import type { Chart, ChartState, ChartTransition } from '../../../verification/timeline/format.ts';
import { activeStates } from '../values.ts';

/**
 * A statechart as a Mermaid state diagram, regions included. https://mermaid.js.org/syntax/stateDiagram.html
 */
export function mermaidChart(chart: Chart, value: unknown = null): string {
  const alias = aliases(chart);
  const active = activeStates(chart, value);
  const lines = ['stateDiagram-v2'];
  const state = (one: ChartState, indent: string): void => {
    lines.push(`${indent}state "${mermaidText(one.key)}" as ${alias.get(one.id)}`);
    if (one.children.length === 0) return;
    lines.push(`${indent}state ${alias.get(one.id)} {`);
    for (const [index, child] of one.children.entries()) {
      if (one.type === 'parallel' && index > 0) lines.push(`${indent}  --`);
      state(child, `${indent}  `);
    }
    const initial = one.children.find(({ key }) => key === one.initial);
    if (initial !== undefined) lines.push(`${indent}  [*] --> ${alias.get(initial.id)}`);
    lines.push(`${indent}}`);
  };
  state(chart.root, '  ');
  // Mermaid may draw only the last of several arrows between the same two states.
  const arrows = new Map<string, string[]>();
  for (const transition of chart.transitions) {
    const { source } = transition;
    const arrow = `${alias.get(source)} --> ${alias.get(transition.targets[0] ?? source)}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), mermaidText(textOf(transition))]);
  }
  for (const [arrow, texts] of arrows) lines.push(`  ${arrow} : ${texts.join('<br/>')}`);
  const leaves = statesOf(chart).filter(({ id, children }) => children.length === 0 && active.has(id));
  if (leaves.length > 0) {
    lines.push('  classDef active fill:#0072b2,color:#fff');
    lines.push(`  class ${leaves.map(({ id }) => alias.get(id)).join(',')} active`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * A statechart for Graphviz, with a cluster for each state that has children.
 * https://graphviz.org/doc/info/lang.html
 */
export function graphvizChart(chart: Chart, value: unknown = null): string {
  const alias = aliases(chart);
  const active = activeStates(chart, value);
  const lines = [
    'digraph statechart {',
    '  compound=true; node [shape=box, style=rounded, fontname="sans-serif"];',
  ];
  const state = ({ id, key, type, children }: ChartState, indent: string): void => {
    const name = alias.get(id);
    if (children.length === 0) {
      const look = active.has(id) ? ', style="rounded,filled", fillcolor="#0072b2", fontcolor=white' : '';
      lines.push(`${indent}${name} [label="${quoted(key)}"${look}];`);
      return;
    }
    lines.push(`${indent}subgraph cluster_${name} {`);
    lines.push(
      `${indent}  label="${quoted(key)}"; style=${type === 'parallel' ? 'rounded' : '"rounded,dashed"'};`,
    );
    // An arrow of Graphviz ends at a node. This node stands for the whole cluster.
    lines.push(`${indent}  ${name} [shape=point, style=invis];`);
    for (const child of children) state(child, `${indent}  `);
    lines.push(`${indent}}`);
  };
  state(chart.root, '  ');
  const outer = new Set(statesOf(chart).flatMap(({ id, children }) => (children.length > 0 ? [id] : [])));
  for (const transition of chart.transitions) {
    const { source } = transition;
    const target = transition.targets[0] ?? source;
    // A transition between a state and one inside it cannot be an arrow between clusters.
    const isWithin = target.startsWith(source) || source.startsWith(target);
    const ends = [
      `label="${quoted(textOf(transition))}"`,
      ...(outer.has(source) && !isWithin ? [`ltail=cluster_${alias.get(source)}`] : []),
      ...(outer.has(target) && !isWithin ? [`lhead=cluster_${alias.get(target)}`] : []),
    ];
    lines.push(`  ${alias.get(source)} -> ${alias.get(target)} [${ends.join(', ')}];`);
  }
  return `${lines.join('\n')}\n}\n`;
}

function textOf({ event, guard }: ChartTransition): string {
  return `${event === '' ? 'always' : event}${guard === null ? '' : ` [${guard}]`}`;
}

function statesOf({ root }: Chart): readonly ChartState[] {
  const states = [root];
  for (const state of states) states.push(...state.children);
  return states;
}

function aliases(chart: Chart): ReadonlyMap<string, string> {
  return new Map(statesOf(chart).map(({ id }, index) => [id, `s${index}`]));
}

/** Replaces every character with a special meaning in Mermaid by an entity. */
export function mermaidText(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,=+*()_-]/gu, (char) => `#${char.codePointAt(0)};`);
}

function quoted(text: string): string {
  return text.replace(/["\\]/g, (char) => `\\${char}`);
}
