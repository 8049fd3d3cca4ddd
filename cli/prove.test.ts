import { describe, expect, it } from 'vitest';
import { BatonProcess, baton } from './testing/baton.ts';

describe('baton prove', () => {
  it('refuses a system that has no proof, and names those that have', async () => {
    const { status, stderr } = await baton('prove', 'link');
    expect(status).toBe(2);
    expect(stderr).toContain('no proof of link: expected one of naimi-trehel, line');
  });

  it('explains how to install a missing solver', async () => {
    const { status, stderr } = await new BatonProcess(['prove', 'naimi-trehel', '--solver', 'cvc5'], {
      PATH: '',
    }).end();
    expect(status).toBe(2);
    expect(stderr).toContain('SOLVER_MISSING: Expected the program cvc5 on the PATH');
  });
});
