import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, hashOf } from './address.ts';

describe('an address', () => {
  it('names source, step and path, or source and lock, and is read back the same', () => {
    const source = fc.option(fc.stringMatching(/^[a-z0-9-]+$/), { nil: null });
    const none = fc.constant([]);
    const address = fc.oneof(
      fc.record({
        source,
        step: fc.nat(),
        path: fc.array(fc.nat()),
        lock: fc.constant(null),
        beside: source,
      }),
      fc.record({
        source,
        step: fc.constant(null),
        path: none,
        lock: fc.string(),
        beside: fc.constant(null),
      }),
    );
    fc.assert(
      fc.property(address, (one) => {
        expect(addressOf(hashOf(one))).toEqual(one);
      }),
    );
  });

  it('that is empty or invalid is the start of the first source', () => {
    const start = { source: null, step: null, path: [], lock: null, beside: null };
    for (const hash of ['', '#', '#step=-1&path=a.b', '#step=1.5&path=1..2'])
      expect(addressOf(hash)).toEqual(start);
  });
});
