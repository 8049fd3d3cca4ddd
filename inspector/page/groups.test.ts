import { expect, it } from 'vitest';
import type { SiteState, Timeline } from '../../verification/timeline/format.ts';
import { folded, groupsOf } from './groups.ts';
import { Moments } from './moments.ts';

const absent: SiteState = { up: false, value: null, context: {} };
const ids = ['app', 'todo 1', 'todo 2', 'todo 3', 'todo 4'];
const step = (site: string, up: boolean, value: string) => ({
  ...{ site, kind: 'environment' as const, text: `${site} ${value}`, event: { type: value }, message: null },
  ...{ effects: [], taken: ['x'], verdicts: {}, sites: { [site]: { up, value, context: {} } } },
});
const run: Timeline = {
  ...{ version: 1, title: 'app', about: '', machines: {}, properties: [], critical: [] },
  sites: ids.map((id) => ({ id, machine: null, ...(id !== 'app' && { group: 'todo' }) })),
  start: { sites: Object.fromEntries(ids.map((id) => [id, absent])), verdicts: [] },
  steps: [
    step('app', true, 'open'),
    step('todo 1', true, 'new'),
    step('todo 3', true, 'new'),
    step('todo 1', false, 'done'),
  ],
  messages: [
    { source: 'app', target: 'todo 3', message: { type: 'NEW' }, sent: 1, ended: 3, fate: 'received' },
  ],
};

it('folds four or more actors of one kind into one line, and counts them', () => {
  const groups = groupsOf(run);
  expect(groups).toEqual([{ name: 'todo', members: ids.slice(1) }]);
  const one = folded(run, groups);
  expect(one.sites.map(({ id }) => id)).toEqual(['app', 'todo × 4']);
  const moments = new Moments(one);
  const counted = (moment: number) => moments.site('todo × 4', moment);
  expect(counted(1)).toMatchObject({ up: false });
  expect(counted(3)).toMatchObject({ up: true, context: { there: 2, 'in new': 2 } });
  expect(counted(4)).toMatchObject({ up: true, context: { there: 1, 'in new': 1 } });
  expect(one.messages[0]).toMatchObject({ source: 'app', target: 'todo × 4' });
  expect(one.steps.map(({ site, text }) => `${site}: ${text}`)[3]).toBe('todo × 4: todo 1 done');
});

it('leaves three of a kind, and actors without a kind, as they are', () => {
  expect(groupsOf({ ...run, sites: run.sites.slice(0, 4) })).toEqual([]);
  expect(folded(run, [])).toBe(run);
});
