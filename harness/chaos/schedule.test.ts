import { describe, expect, it } from 'vitest';
import { countByKind, faultInWords, scheduleOf } from './schedule.ts';

const of = (seed: number, sites = 3) => scheduleOf({ seed, sites, seconds: 2 });
const many = Array.from({ length: 300 }, (_, seed) => of(seed, 3 + (seed % 3)));

describe('the schedule of a seed', () => {
  it('is determined by the seed', () => {
    expect(of(7)).toEqual(of(7));
    expect(new Set(many.map((schedule) => JSON.stringify(schedule.faults))).size).toBe(many.length);
  });

  it('has every kind of fault, in order, and all end with it', () => {
    const faults = many.flatMap((schedule) => schedule.faults);
    expect(Object.keys(countByKind(faults)).length).toBe(15);
    for (const { faults, seconds } of many) {
      expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).sort((a, b) => a - b));
      for (const fault of faults) {
        expect(fault.atMs + ('forMs' in fault ? fault.forMs : 0)).toBeLessThanOrEqual(seconds * 1000);
      }
    }
    expect(new Set(faults.map((fault) => faultInWords(fault).split(' ')[0])).size).toBeGreaterThan(12);
  });

  it('cuts off less than half of the sites, and never applies two faults to one process at a time', () => {
    for (const { faults, sites } of many) {
      const until = new Map<string, number>();
      for (const fault of faults) {
        if (fault.kind === 'partition') expect(fault.minority.length * 2).toBeLessThan(sites.length);
        if (!('site' in fault && 'forMs' in fault)) continue;
        expect(fault.atMs).toBeGreaterThan(until.get(fault.site) ?? -1);
        until.set(fault.site, fault.atMs + fault.forMs);
      }
    }
  });

  it('changes the members within what they allow, and never by two faults of a site that is no member', () => {
    const changing = Array.from({ length: 300 }, (_, seed) =>
      scheduleOf({ seed, sites: 2 + (seed % 3), seconds: 2, members: true }),
    );
    const drawn = countByKind(changing.flatMap(({ faults }) => faults));
    expect(Object.keys(drawn).length).toBe(22);
    expect(drawn['kill-diskless']).toBeUndefined();
    for (const { faults, sites, spares, rates } of changing) {
      for (const rate of Object.values(rates)) expect(Math.abs(rate - 1)).toBeLessThanOrEqual(0.2);
      const members = new Set(sites);
      for (const fault of faults) {
        if (fault.kind === 'add') expect(members.has(fault.site)).toBe(false);
        else if ('site' in fault) expect(members.has(fault.site)).toBe(true);
        if (fault.kind === 'add') members.add(fault.site);
        if (fault.kind === 'remove' || fault.kind === 'replace') members.delete(fault.site);
        if (fault.kind === 'replace') members.add(fault.by);
        if (fault.kind === 'empty-disk') expect(members.size).toBeGreaterThan(2);
        expect(members.size).toBeGreaterThanOrEqual(Math.max(2, sites.length - 1));
        expect(members.size).toBeLessThan(sites.length + spares.length);
        if (fault.kind === 'partition')
          expect(fault.minority.length).toBeLessThanOrEqual(Math.max(1, (sites.length - 1) / 2));
      }
    }
  });

  it('names the sites and the durations in its text', () => {
    expect(faultInWords({ kind: 'partition', atMs: 0, minority: ['a', 'b'], how: 'silent', forMs: 9 })).toBe(
      'partition of a, b, silent for 9 ms',
    );
    expect(faultInWords({ kind: 'one-way', atMs: 0, pair: ['b', 'a'], forMs: 9 })).toBe(
      'one-way b -> a for 9 ms',
    );
  });
});
