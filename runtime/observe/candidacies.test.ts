import { expect, it } from 'vitest';
import { VirtualClock } from '../../harness/simulation/virtual-clock.ts';
import { Candidacies } from './candidacies.ts';

const because = { reason: 'death', down: { b: 'silent' } } as const;

it('remembers the last candidacy for each lock and how long ago it was, for a bounded number of locks', () => {
  const clock = new VirtualClock();
  const candidacies = new Candidacies(clock);
  candidacies.stood('first', 1, because);
  candidacies.stood('main', 1, because);
  candidacies.stood('main', 2, because);
  clock.advance(300);
  expect(candidacies.of('main')).toEqual({ epoch: 2, agoMs: 300, because });
  expect(candidacies.of('never')).toBeNull();
  for (let n = 0; n < 1_023; n++) candidacies.stood(`lock ${n}`, 1, because);
  expect(candidacies.of('first')).toBeNull();
  expect(candidacies.of('main')).not.toBeNull();
});
