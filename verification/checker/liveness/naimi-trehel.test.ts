import { describe, expect, it } from 'vitest';
import type { Predicate } from '../model.ts';
import { createNaimiTrehel, type NaimiTrehel } from '../testing/naimi-trehel.ts';
import { type ActionFairness, checkLiveness, type LivenessProperty, validateLasso } from './index.ts';

const clientIs = (model: NaimiTrehel, site: number, client: string): Predicate => ({
  kind: 'sum',
  project: (process, local) => (process === site && model.site(process, local).client === client ? 1 : 0),
  judge: (sum) => sum > 0,
});

/** Weak fairness for each of these actions alone. */
const fairTo = (model: NaimiTrehel, actions: RegExp): ActionFairness => ({
  weak: (action) => {
    const { kind, process } = model.describe(action);
    return actions.test(`${kind} at ${process}`) ? action : -1;
  },
});

const served = (model: NaimiTrehel, fairness: ActionFairness): LivenessProperty[] =>
  Array.from({ length: model.width }, (_, site) => ({
    kind: 'leadsTo',
    name: `site ${site} enters after it asked`,
    from: clientIs(model, site, 'requesting'),
    to: clientIs(model, site, 'inCS'),
    fairness,
  }));

describe('Naimi-Trehel: requesting leads to inCS', () => {
  it.each([
    [2, 14, 24],
    [3, 282, 642],
    [4, 9_352, 26_464],
  ])('N = %i: holds when every delivery and every release is weakly fair', async (n, states, transitions) => {
    const model = createNaimiTrehel(n);
    const result = await checkLiveness(model, served(model, fairTo(model, /deliver|release/)));
    expect(result).toMatchObject({ states, transitions, cut: null });
    expect(result.verdicts.map(({ verdict }) => verdict)).toEqual(Array(n).fill('holds'));
  });

  it.each([
    ['nothing', /^$/],
    ['deliveries alone', /deliver/],
    ['releases alone', /release/],
    ['requests and releases', /ask|release/],
  ])('is violated when %s is fair', async (_, actions) => {
    const model = createNaimiTrehel(3);
    const properties = served(model, fairTo(model, actions));
    const { verdicts } = await checkLiveness(model, properties);
    verdicts.forEach((verdict, i) => {
      if (verdict.verdict !== 'violated') throw new Error(`${verdict.name}: ${verdict.verdict}`);
      validateLasso(model, properties[i]!, verdict.lasso);
    });
  });

  it('a run that requests and is never served violates it without fairness', async () => {
    const model = createNaimiTrehel(3);
    const { verdicts } = await checkLiveness(model, served(model, {}).slice(1, 2));
    expect(verdicts[0]).toMatchObject({ verdict: 'violated', lasso: { loop: [] } });
    expect(verdicts[0]).toHaveProperty('lasso.stem.length', 1);
  });

  it('finds the loop in which others are served for ever while one link stands still', async () => {
    const model = createNaimiTrehel(3);
    const fairness = fairTo(model, /ask at 0|release|deliver from [01]|deliver from 2 at 1/);
    const { verdicts } = await checkLiveness(model, served(model, fairness).slice(2));
    expect(verdicts[0]).toHaveProperty('lasso.stem.length', 1);
    expect(verdicts[0]).toHaveProperty('lasso.loop.length', 2);
  });
});
