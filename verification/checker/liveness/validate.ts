import { apply, type Model, type Predicate, successors } from '../model.ts';
import { BrokenLassoError } from './errors.ts';
import { type ActionClass, formulaOf, type Lasso, type LivenessProperty, type Move } from './property.ts';
import { holdsOnLasso } from './semantics.ts';

/**
 * Replays every step of `lasso` on the model and judges it by the definitions. It must be a run, return to
 * the start of its loop, be fair, and make the property's formula false.
 *
 * @throws BrokenLassoError when it is no counterexample: either it was altered, or the checker is wrong.
 */
export function validateLasso(model: Model, property: LivenessProperty, lasso: Lasso): void {
  const broken = (why: string) =>
    new BrokenLassoError(`The lasso for "${property.name}" is no counterexample: ${why}.`);
  const same = (a: readonly number[], b: readonly number[]) => a.join() === b.join();

  if (!model.initial.some((state) => same(state, lasso.initial)))
    throw broken('it starts in no initial state');
  const states: (readonly number[])[] = [lasso.initial];
  const actions: number[] = [];
  const take = ({ process, step: index }: Move): void => {
    const before = states.at(-1)!;
    const step = model.steps(process, before[process]!)[index];
    if (step === undefined) throw broken(`process ${process} has no step ${index} in state ${before}`);
    const after = apply(model, before, process, step);
    if (after === null) throw broken(`step ${index} of process ${process} is blocked in state ${before}`);
    actions.push(step.action);
    states.push(after);
  };
  lasso.stem.forEach(take);
  const start = lasso.stem.length;
  lasso.loop.forEach(take);
  if (lasso.loop.length > 0 && !same(states.pop()!, states[start]!)) {
    throw broken('its loop ends elsewhere than it starts');
  }

  // A step that changes nothing is neither enabled nor taken.
  const loop = [...states.slice(start), states[start]!];
  const taken = actions.slice(start).filter((_, index) => !same(loop[index]!, loop[index + 1]!));
  const enabled = states
    .slice(start)
    .map((state) =>
      [...successors(model, state)].filter(({ after }) => !same(after, state)).map(({ step }) => step.action),
    );
  const { weak, strong } = property.fairness ?? {};
  const check = (
    classOf: ActionClass | undefined,
    kind: string,
    owed: (on: readonly boolean[]) => boolean,
  ) => {
    if (classOf === undefined) return;
    for (const one of new Set(enabled.flat().map(classOf))) {
      if (one === -1 || taken.some((action) => classOf(action) === one)) continue;
      if (!owed(enabled.map((list) => list.some((action) => classOf(action) === one)))) continue;
      throw broken(`it is not ${kind}ly fair to class ${one}`);
    }
  };
  check(weak, 'weak', (on) => on.every(Boolean));
  check(strong, 'strong', (on) => on.some(Boolean));

  const { formula, names, atoms } = formulaOf(property);
  const judge = (atom: string, position: number) => holds(atoms[names.indexOf(atom)]!, states[position]!);
  if (holdsOnLasso(formula, states.length, start, judge)) throw broken('the property holds on it');
}

function holds(predicate: Predicate, state: readonly number[]): boolean {
  return predicate.kind === 'sum'
    ? predicate.judge(
        state.reduce((sum, local, process) => (sum + predicate.project(process, local)) >>> 0, 0),
      )
    : predicate.judge(Int32Array.from(state, (local, process) => predicate.observe(process, local)));
}
