import { describe, expect, it } from 'vitest';
import type { Message } from '../../verification/timeline/format.ts';
import { flightsOf } from './flights.ts';
import type { Place } from './forest-layout.ts';

const sites: Readonly<Record<string, Place>> = {
  a: { x: 60, y: 60 },
  b: { x: 176, y: 90 },
  c: { x: 292, y: 60 },
  d: { x: 408, y: 90 },
};

function message(source: string | null, target: string, type: string, fields: object = {}): Message {
  const message = { type, ...fields };
  return { source, target, message, sent: 0, ended: null, fate: 'under way' };
}

const flights = (...messages: readonly Message[]) =>
  flightsOf(messages, (id) => sites[id]!, Object.values(sites), 25);

describe('messages on their way', () => {
  it('between the same two sites are one arrow with a count', () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      message('a', 'b', 'VOTE_REQUEST', { epoch: index }),
    );
    const found = flights(...many, message('a', 'b', 'TOKEN'), message('b', 'a', 'REQUEST', { origin: 'b' }));
    expect(found.map(({ text, carriesToken }) => [text, carriesToken])).toEqual([
      ['VOTE_REQUEST ×40, TOKEN', true],
      ['REQUEST(origin=b)', false],
    ]);
    // Opposite directions are two arrows.
    expect(found[0]!.middle).not.toEqual(found[1]!.middle);
  });

  it('have texts that cover neither each other nor a site', () => {
    const ids = Object.keys(sites);
    const found = flights(
      ...ids.flatMap((source) =>
        ids.flatMap((target) => (source === target ? [] : [message(source, target, 'NEW')])),
      ),
    );
    expect(found).toHaveLength(12);
    for (const [index, { label, text }] of found.entries()) {
      const half = (text.length * 6.7) / 2;
      for (const { x, y } of Object.values(sites)) {
        expect(Math.abs(label.x - x) >= half + 25 || Math.abs(label.y - y) >= 32).toBe(true);
      }
      for (const other of found.slice(index + 1)) {
        expect(Math.abs(label.x - other.label.x) >= 2 * half || Math.abs(label.y - other.label.y) >= 15).toBe(
          true,
        );
      }
    }
  });

  it('come from beside their target if their sending is not known', () => {
    const [flight] = flights(message(null, 'c', 'PREPARED'));
    expect(flight!.from.x).toBeLessThan(sites['c']!.x);
  });
});
