import { describe, expect, it } from 'vitest';
import { judgeLedger } from './ledger.ts';

const ledger = (...lines: string[]) => judgeLedger(lines.map((line) => `${line}\n`).join(''), ['a', 'b']);

describe('the ledger', () => {
  it('without overlaps is clean, and shows the waiting time of each site', () => {
    const turns = ['a 1', 'b 1', 'b 2', 'b 3', 'a 2'].flatMap((turn) => [`enter ${turn}`, `leave ${turn}`]);
    expect(ledger(...turns)).toEqual({
      criticalSections: { a: 2, b: 3 },
      total: 5,
      overlaps: 0,
      defects: [],
      cutShort: [],
      longestWait: 3,
    });
  });

  it('ends the section of a site that was killed inside with the site, and no other', () => {
    const text = 'enter a 1\nenter b 1\nleave b 1\n';
    expect(judgeLedger(text, ['a', 'b'], ['a'])).toMatchObject({
      overlaps: 0,
      defects: [],
      cutShort: ['a'],
      total: 2,
    });
    expect(judgeLedger(text, ['a', 'b'], ['b'])).toMatchObject({
      overlaps: 2,
      defects: ['a never left'],
      cutShort: [],
    });
    // A site that writes after its end is none that was killed.
    expect(judgeLedger(`${text}leave a 1\n`, ['a', 'b'], ['a']).overlaps).toBe(2);
  });

  it('shows a site that enters while another is inside', () => {
    const report = ledger('enter a 1', 'enter b 1', 'leave a 1', 'leave b 1');
    expect(report).toMatchObject({
      overlaps: 2,
      firstOverlap: 'line 2: enter b 1, while a was inside',
      defects: [],
    });
  });

  it('shows lines that no critical section writes', () => {
    const { defects, overlaps } = ledger(
      'enter a 2',
      'leave a 1',
      'leave b 1',
      'ent',
      'enter c 1',
      'enter b 1',
    );
    expect(overlaps).toBe(0);
    expect(defects).toEqual([
      'line 1: enter a 2',
      'line 3: leave b 1',
      'line 4: ent',
      'line 5: enter c 1',
      'b never left',
    ]);
    expect(judgeLedger('enter a 1\nleave a', ['a']).defects).toEqual([
      'the last line is cut short',
      'a never left',
    ]);
  });
});
