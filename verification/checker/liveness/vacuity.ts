import type { Predicate } from '../model.ts';
import type { Formula } from './ltl.ts';
import { formulaOf, type LivenessProperty } from './property.ts';

/**
 * Returns the first trigger of a property that is true in no state, as text, or `null`. A trigger is the left
 * side of an implication if it refers to a single state. A property whose trigger never occurs holds
 * vacuously (I. Beer et al., "Efficient detection of vacuity in temporal model checking", 2001).
 */
export function neverTriggered(
  property: LivenessProperty,
  truth: (atom: Predicate) => Uint8Array,
  states: number,
): string | null {
  const { formula, names, atoms } = formulaOf(property);
  for (const trigger of triggersOf(formula)) {
    const holds = stateFormula(trigger, (name) => truth(atoms[names.indexOf(name)]!));
    let occurs = false;
    for (let state = 0; state < states && !occurs; state++) occurs = holds(state);
    if (!occurs) return textOf(trigger);
  }
  return null;
}

function triggersOf(formula: Formula): readonly Formula[] {
  const within = partsOf(formula).flatMap(triggersOf);
  const isTrigger = formula.op === 'implies' && speaksOfOneState(formula.left);
  return isTrigger ? [formula.left, ...within] : within;
}

function partsOf(formula: Formula): readonly Formula[] {
  if ('of' in formula) return [formula.of];
  return 'left' in formula ? [formula.left, formula.right] : [];
}

const ofOneState: readonly Formula['op'][] = ['true', 'false', 'atom', 'not', 'and', 'or', 'implies', 'iff'];

function speaksOfOneState(formula: Formula): boolean {
  return ofOneState.includes(formula.op) && partsOf(formula).every(speaksOfOneState);
}

function stateFormula(formula: Formula, truth: (name: string) => Uint8Array): (state: number) => boolean {
  if (formula.op === 'true' || formula.op === 'false') return () => formula.op === 'true';
  if (formula.op === 'atom') {
    const values = truth(formula.name);
    return (state) => values[state] === 1;
  }
  const [left, right] = partsOf(formula).map((part) => stateFormula(part, truth));
  switch (formula.op) {
    case 'not':
      return (state) => !left!(state);
    case 'and':
      return (state) => left!(state) && right!(state);
    case 'or':
      return (state) => left!(state) || right!(state);
    case 'implies':
      return (state) => !left!(state) || right!(state);
    default:
      return (state) => left!(state) === right!(state);
  }
}

const symbols: Partial<Record<Formula['op'], string>> = { and: '&', or: '|', implies: '->', iff: '<->' };

function textOf(formula: Formula): string {
  if (formula.op === 'atom') return formula.name;
  const parts = partsOf(formula).map((part) =>
    partsOf(part).length > 1 ? `(${textOf(part)})` : textOf(part),
  );
  if (parts.length === 0) return formula.op;
  return formula.op === 'not' ? `!${parts[0]}` : parts.join(` ${symbols[formula.op]} `);
}
