import { checkLiveness, type LivenessProperty } from '../../checker/liveness/index.ts';
import { type Action, type Compiled, compile, type Fairness, type System } from '../../system/index.ts';

/** What the engine says of the `leadsTo` or `eventually` of that name; a violation's lasso by its lengths. */
export async function judgeRuns(system: System, name: string) {
  const compiled = compile(system);
  const { verdicts } = await checkLiveness(compiled.model, [propertyOf(compiled, name)]);
  const { verdict, ...rest } = verdicts[0]!;
  const lasso = 'lasso' in rest ? { stem: rest.lasso.stem.length, loop: rest.lasso.loop.length } : null;
  return { verdict, lasso };
}

function propertyOf(compiled: Compiled, name: string): LivenessProperty {
  const property = compiled.system.properties.find((other) => other.name === name);
  const fairness = (given: Fairness | undefined) =>
    given === undefined
      ? {}
      : {
          fairness: {
            ...classes(compiled, 'weak', given.weak),
            ...classes(compiled, 'strong', given.strong),
          },
        };
  switch (property?.kind) {
    case 'leadsTo': {
      const [from, to] = [compiled.watch(property.from), compiled.watch(property.to)];
      return { kind: 'leadsTo', name, from, to, ...fairness(property.fairness) };
    }
    case 'eventually':
      return {
        kind: 'eventually',
        name,
        is: compiled.watch(property.predicate),
        ...fairness(property.fairness),
      };
    default:
      throw new Error(`'${compiled.system.name}' has no property of runs that is called '${name}'`);
  }
}

/** Names of classes as dense numbers. */
function classes(
  compiled: Compiled,
  key: 'weak' | 'strong',
  of: ((action: Action) => string | null) | undefined,
) {
  if (of === undefined) return {};
  const numbers = new Map<string, number>();
  const number = (action: number) => {
    const name = of(compiled.action(action));
    if (name === null) return -1;
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    return numbers.get(name)!;
  };
  return { [key]: number };
}
