import type { Message, Timeline, TimelineStep, TypedValue } from '../../../verification/timeline/format.ts';
import { typedText } from '../values.ts';
import { mermaidText } from './chart.ts';

/**
 * A run as a Mermaid sequence diagram. A received message is an arrow, a lost one a cross, a step of one site
 * alone a note, and a message still on its way at the end an open arrow.
 * https://mermaid.js.org/syntax/sequenceDiagram.html
 */
export function mermaidSequence({ sites, steps, messages }: Timeline): string {
  const alias = new Map(sites.map(({ id }, index) => [id, `p${index}`]));
  const lines = [
    'sequenceDiagram',
    ...sites.map(({ id }) => `  participant ${alias.get(id)} as ${mermaidText(id)}`),
  ];
  const arrived = new Map<number | null, Message[]>();
  for (const message of messages) {
    const others = arrived.get(message.ended);
    if (others === undefined) arrived.set(message.ended, [message]);
    else others.push(message);
  }
  for (const [index, step] of steps.entries()) {
    const ended = arrived.get(index + 1) ?? [];
    for (const { source, target, message, fate } of ended) {
      if (source === null) continue;
      const head = fate === 'lost' ? '-x' : '->>';
      lines.push(`  ${alias.get(source)}${head}${alias.get(target)}: ${mermaidText(typedText(message))}`);
    }
    const asked = step.effects.filter(({ type }) => type !== 'send' && type !== 'broadcast').map(typedText);
    const isArrow = ended.some(({ source, fate }) => source !== null && fate === 'received');
    const notes = [...(isArrow || step.kind === 'lose' ? [] : [step.text]), ...asked];
    if (notes.length > 0) lines.push(`  Note over ${alias.get(step.site)}: ${mermaidText(notes.join(', '))}`);
  }
  for (const { source, target, message } of arrived.get(null) ?? []) {
    if (source === null) continue;
    lines.push(
      `  ${alias.get(source)}--)${alias.get(target)}: ${mermaidText(typedText(message))} (under way)`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The host to which the loss of a message belongs. */
const network = 'network';

/** A run as a log for ShiViz, with a vector clock for every step. https://bestchai.bitbucket.io/shiviz/ */
export function shiVizLog({ steps, messages }: Timeline): string {
  const clocks = new Map<string, Readonly<Record<string, number>>>();
  /** For each moment: the clock of the step that led to it. */
  const stamps: Readonly<Record<string, number>>[] = [{}];
  const lines = ['(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})', ''];
  for (const step of steps) {
    const host = hostOf(step);
    const clock: Record<string, number> = { ...clocks.get(host) };
    const { sent } = step.message === null ? { sent: 0 } : messages[step.message]!;
    for (const [id, time] of Object.entries(stamps[sent]!)) clock[id] = Math.max(clock[id] ?? 0, time);
    clock[host] = (clocks.get(host)?.[host] ?? 0) + 1;
    clocks.set(host, clock);
    stamps.push(clock);
    lines.push(oneLine([step.text, ...askedOf(step)].join(', ')), `${host} ${JSON.stringify(clock)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A host is a text without spaces. */
function hostOf({ kind, site }: TimelineStep): string {
  return kind === 'lose' || kind === 'break' ? network : site.replace(/\s/g, '_');
}

function askedOf({ effects }: TimelineStep): readonly string[] {
  const isSaid = ({ type }: TypedValue) => type !== 'send' && type !== 'broadcast';
  return effects.filter(isSaid).map(typedText);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
