import type { Chart, ChartState, ChartTransition } from '../timeline/format.ts';

/**
 * A statechart as SCXML (https://www.w3.org/TR/scxml/). Its guards and actions are JavaScript: a guard stands as the name of a function in
 * `cond`, an action as an element of a namespace of Baton's, which other interpreters pass over.
 */
export function scxml({ id, root, transitions }: Chart): string {
  const bySource = new Map<string, ChartTransition[]>();
  for (const transition of transitions) {
    bySource.set(transition.source, [...(bySource.get(transition.source) ?? []), transition]);
  }
  const lines: string[] = [];
  const state = (one: ChartState, indent: string): void => {
    const initial = one.children.find(({ key }) => key === one.initial);
    const tag =
      one.type === 'parallel' || one.type === 'final' || one.type === 'history' ? one.type : 'state';
    const begin = `${indent}<${tag} id="${idOf(one.id)}"${initial === undefined ? '' : ` initial="${idOf(initial.id)}"`}`;
    const inner: string[] = [];
    const block = (name: string, actions: readonly string[]) => {
      if (actions.length === 0) return;
      inner.push(
        `${indent}  <${name}>`,
        ...actions.map((action) => `${indent}    ${actionElement(action)}`),
        `${indent}  </${name}>`,
      );
    };
    block('onentry', one.entry);
    block('onexit', one.exit);
    for (const { event, guard, targets, actions } of bySource.get(one.id) ?? []) {
      const attributes = [
        ...(event === '' ? [] : [`event="${escaped(event)}"`]),
        ...(guard === null ? [] : [`cond="${escaped(guard)}"`]),
        ...(targets.length === 0 ? [] : [`target="${targets.map(idOf).join(' ')}"`]),
      ];
      const open = ['<transition', ...attributes].join(' ');
      if (actions.length === 0) inner.push(`${indent}  ${open}/>`);
      else
        inner.push(
          `${indent}  ${open}>`,
          ...actions.map((action) => `${indent}    ${actionElement(action)}`),
          `${indent}  </transition>`,
        );
    }
    lines.push(
      ...(inner.length === 0 && one.children.length === 0 ? [`${begin}/>`] : [`${begin}>`, ...inner]),
    );
    for (const child of one.children) state(child, `${indent}  `);
    if (inner.length > 0 || one.children.length > 0) lines.push(`${indent}</${tag}>`);
  };
  state(root, '  ');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<scxml xmlns="http://www.w3.org/2005/07/scxml" xmlns:baton="urn:baton:action" version="1.0" name="${escaped(id)}" initial="${idOf(root.id)}">`,
    ...lines,
    '</scxml>',
    '',
  ].join('\n');
}

function actionElement(name: string): string {
  return `<baton:action name="${escaped(name)}"/>`;
}

/** An XML ID: letters, digits, dots, dashes and underscores. */
function idOf(id: string): string {
  return id.replace(/[^\w.-]/g, '_').replace(/^(?![A-Za-z_])/, '_');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
