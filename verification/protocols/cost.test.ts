import { describe, expect, test } from 'vitest';
import { siteMachine as line } from '../../machines/line/site.ts';
import { siteMachine as naimiTrehel } from '../../machines/naimi-trehel/site.ts';
import { costOf, type Load } from './cost.ts';

/* Messages per critical section, as docs/protocol.md has them: every message takes one unit of time, and so does a critical section. */

const at = (sites: number, load: Partial<Load>): Load => ({
  sites,
  again: 0,
  think: 0,
  sections: 4_000,
  seed: 1,
  ...load,
});

describe('every site asks again at once', () => {
  test.each([4, 8, 16])(
    '%i sites: 4 - 6/(n+1) messages by the published algorithm, one by the line rule',
    (sites) => {
      const load = at(sites, { again: 1 });
      expect(costOf(naimiTrehel, load).messagesPerSection).toBeCloseTo(4 - 6 / (sites + 1), 2);
      const { messagesPerSection, fairness } = costOf(line, load);
      expect(messagesPerSection).toBeCloseTo(1, 2);
      expect(fairness).toBeGreaterThan(0.999);
    },
  );
});

describe('requests come one at a time', () => {
  const harmonic = (n: number) =>
    Array.from({ length: n }, (_, index) => 1 / (index + 1)).reduce((a, b) => a + b, 0);

  /** Variance of the messages of a section (Lavault, arXiv cs/0611098). */
  const variance = (n: number) => {
    const squares = Array.from({ length: n }, (_, index) => 1 / (index + 1) ** 2).reduce((a, b) => a + b, 0);
    return harmonic(n) - squares + (2 * (harmonic(n) - 1)) / n + (1 - 1 / n) / n;
  };

  test.each([3, 5, 8])(
    '%i sites: the line rule costs what the published algorithm does, H_(n-1) within three standard errors',
    (sites) => {
      const load = at(sites, { think: 2_000 * sites, memoryless: true, sections: 10_000 });
      const published = costOf(naimiTrehel, load).messagesPerSection;
      expect(costOf(line, load).messagesPerSection).toBe(published);
      const error = Math.sqrt(variance(sites) / load.sections);
      expect(Math.abs(published - harmonic(sites - 1))).toBeLessThan(3 * error);
    },
  );
});

describe('between the two', () => {
  test.each([
    { sites: 8, again: 5 / 6, think: 0.2, plain: 3.306, line: 1.164 },
    { sites: 8, again: 1 / 3, think: 2, plain: 2.83, line: 2.081 },
    { sites: 8, again: 0, think: 4, plain: 3.028, line: 2.988 },
  ])(
    '$sites sites, share of $again: $line messages instead of $plain',
    ({ sites, again, think, ...wanted }) => {
      const load = at(sites, { again, think: think * sites, sections: 10_000 });
      expect(Math.abs(costOf(naimiTrehel, load).messagesPerSection - wanted.plain)).toBeLessThan(0.05);
      expect(Math.abs(costOf(line, load).messagesPerSection - wanted.line)).toBeLessThan(0.05);
    },
  );
});
