/** The result of one run of a contender: its counts, and the time of the search alone. */
export interface Answer {
  /** Number of distinct states. With symmetry: the number of states that its orbits stand for. */
  readonly states: number;
  /** `null` where a contender does not count transitions, or counts those of orbits. */
  readonly transitions: number | null;
  readonly orbits: number | null;
  readonly seconds: number;
  /** Bytes of the search's own tables, where a contender reports them. */
  readonly tableBytes: number | null;
}

/**
 * Parses one line of a contender's output: `states=… transitions=… orbits=… tables=… time=…s`, in any order
 * and among other words. All but `states` and `time` may be missing. Throws when one of these two is missing.
 */
export function parseAnswer(output: string): Answer {
  const number = (key: string) => {
    const found = new RegExp(`\\b${key}=([0-9.]+)`).exec(output)?.[1];
    return found === undefined ? null : Number(found);
  };
  const [states, seconds] = [number('states'), number('time')];
  if (states === null || seconds === null) {
    throw new Error(`expected 'states=… time=…s' in the output, and found: ${output.slice(-500)}`);
  }
  return {
    states,
    transitions: number('transitions'),
    orbits: number('orbits'),
    seconds,
    tableBytes: number('tables'),
  };
}

export function printAnswer({ states, transitions, orbits, seconds, tableBytes }: Answer): void {
  const words = [`states=${states}`];
  if (transitions !== null) words.push(`transitions=${transitions}`);
  if (orbits !== null) words.push(`orbits=${orbits}`);
  if (tableBytes !== null) words.push(`tables=${tableBytes}`);
  console.log(`${words.join(' ')} time=${seconds}s`);
}
