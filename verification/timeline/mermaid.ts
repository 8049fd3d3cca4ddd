import type { SiteId } from '../../machines/actor.ts';
import type { Action, Trace } from '../system/system.ts';
import { actionText, isUnsent, messageText } from '../system/text.ts';

/**
 * A trace as a Mermaid sequence diagram. A received message is an arrow, a lost one a cross, and a step of
 * one actor alone a note. At the end, each message still on its way is an open arrow.
 * https://mermaid.js.org/syntax/sequenceDiagram.html
 */
export function traceMermaid(trace: Trace): string {
  const ids = Object.keys(trace.initial);
  const alias = (id: SiteId) => `p${ids.indexOf(id)}`;
  const lines = ['sequenceDiagram', ...ids.map((id) => `  participant ${alias(id)} as ${escaped(id)}`)];
  const { length } = trace.steps;
  for (const [index, { action, effects, state }] of trace.steps.entries()) {
    const loops = trace.loop !== undefined && trace.loop < length;
    if (loops && index === trace.loop) lines.push('  loop for ever');
    lines.push(`  ${arrow(action, alias)}`);
    const notes = effects.filter(isUnsent).map((effect) => messageText(effect));
    const fault = state[action.actor]?.fault;
    if (fault !== undefined) notes.push(`FAILED: ${fault}`);
    if (notes.length > 0) lines.push(`  Note over ${alias(action.actor)}: ${escaped(notes.join(', '))}`);
    if (loops && index === length - 1) lines.push('  end');
  }
  for (const [id, { inbox }] of Object.entries(trace.steps.at(-1)?.state ?? trace.initial)) {
    for (const { source, message } of inbox) {
      const text = `${escaped(messageText(message))} (under way)`;
      lines.push(
        source === null ? `  Note over ${alias(id)}: ${text}` : `  ${alias(source)}--)${alias(id)}: ${text}`,
      );
    }
  }
  return lines.join('\n');
}

function arrow(action: Action, alias: (id: SiteId) => string): string {
  switch (action.kind) {
    case 'deliver':
    case 'duplicate':
    case 'lose': {
      if (action.source === null) return note(action, alias);
      const head = action.kind === 'lose' ? '-x' : action.kind === 'duplicate' ? '-->>' : '->>';
      return `${alias(action.source)}${head}${alias(action.actor)}: ${escaped(messageText(action.message))}`;
    }
    case 'break':
      return `${alias(action.source)}-x${alias(action.actor)}: ${escaped(`break: ${action.lost} lost`)}`;
    default:
      return note(action, alias);
  }
}

function note(action: Action, alias: (id: SiteId) => string): string {
  return `Note over ${alias(action.actor)}: ${escaped(actionText(action))}`;
}

/** Escapes text for Mermaid: `;` ends a statement, `%%` starts a comment, and entities are written `#35;`. */
function escaped(text: string): string {
  return text.replace(/[#;%<>\n]/g, (char) => `#${char.charCodeAt(0)};`);
}
