import { createMachine } from 'xstate';
import { each, role, system } from '../system/typed.ts';

/**
 * MSI cache coherence by snooping (M. Papamarcos, J. Patel, "A Low-Overhead Coherence Solution for Multiprocessors with Private
 * Cache Memories", 1984, without its state E). The bus is atomic: the cache that reads or writes and all others that snoop take
 * one step together. So a line is modified in one cache and invalid in the others, or shared in any set of caches: n + 2^n
 * states for n caches, 11 for three.
 */
export const cache = createMachine({
  types: {} as { events: { type: 'read' | 'write' | 'evict' | 'busRead' | 'busWrite' } },
  id: 'cache',
  initial: 'invalid',
  states: {
    invalid: { on: { read: 'shared', write: 'modified', busRead: {}, busWrite: {} } },
    shared: { on: { write: 'modified', evict: 'invalid', busRead: {}, busWrite: 'invalid' } },
    modified: { on: { evict: 'invalid', busRead: 'shared', busWrite: 'invalid' } },
  },
});

export function msi({ caches = 3 } = {}) {
  const ids = Array.from({ length: caches }, (_, index) => `cache ${index + 1}`);
  const snoop = (self: string, type: 'busRead' | 'busWrite') => () =>
    Object.fromEntries(ids.filter((id) => id !== self).map((id) => [id, { type }]));
  return system(
    'MSI',
    each(ids, (self) =>
      role(cache, {
        environment: [
          { event: { type: 'read' }, together: snoop(self, 'busRead') },
          { event: { type: 'write' }, together: snoop(self, 'busWrite') },
          'evict',
        ],
      }),
    ),
  )
    .always('one writer, and then no reader', (_, all) => {
      const valid = all.filter((a) => !a.matches('invalid'));
      return valid.length <= 1 || !valid.some((a) => a.matches('modified'));
    })
    .sometimes('all share', (_, all) => all.every((a) => a.matches('shared')))
    .sometimes('one has modified', (_, all) => all.some((a) => a.matches('modified')))
    .neverEnds();
}

export default msi();
