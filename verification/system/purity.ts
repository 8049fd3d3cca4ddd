import { SystemError } from './errors.ts';

/** Where a step might read the clock or chance: what is replaced while it runs. */
const doors: readonly { readonly owner: object; readonly key: string }[] = [
  { owner: globalThis, key: 'Date' },
  { owner: Date, key: 'now' },
  { owner: Math, key: 'random' },
  { owner: performance, key: 'now' },
  { owner: globalThis.crypto, key: 'randomUUID' },
  { owner: globalThis.crypto, key: 'getRandomValues' },
];

/** Runs `step` with the clock and chance locked: `MACHINE_IMPURE` if it reaches for them. `who` names the machine. */
export function withoutClockAndChance<Result>(who: string, step: () => Result): Result {
  const before = doors.map(({ owner, key }) => Object.getOwnPropertyDescriptor(owner, key));
  const touched: SystemError[] = [];
  const locked = (name: string) =>
    function refuse(): never {
      const error = new SystemError(
        'MACHINE_IMPURE',
        `${who} reads ${name}, so that one event has many outcomes. Let time and chance come in as an event.`,
      );
      touched.push(error);
      throw error;
    };
  for (const { owner, key } of doors) {
    const name = owner === globalThis ? key : `${key === 'random' ? 'Math' : 'the clock or chance'}.${key}`;
    Object.defineProperty(owner, key, { value: locked(name), configurable: true, writable: true });
  }
  try {
    const result = step();
    if (touched[0] !== undefined) throw touched[0];
    return result;
  } catch (error) {
    throw touched[0] ?? error;
  } finally {
    doors.forEach(({ owner, key }, index) => {
      const descriptor = before[index];
      if (descriptor === undefined) Reflect.deleteProperty(owner, key);
      else Object.defineProperty(owner, key, descriptor);
    });
  }
}
