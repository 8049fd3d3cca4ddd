import { describe, expect, it } from 'vitest';
import { sharedBaton as baton } from './testing/shared-baton.ts';

describe('baton export', () => {
  it('writes a model for SPIN', async () => {
    const { status, stdout, stderr } = await baton(
      'export',
      'naimi-trehel',
      '--sites',
      '2',
      '--to',
      'promela',
    );
    expect(status).toBe(0);
    expect(stdout).toContain('Baton counts 14 states and 24 transitions');
    expect(stdout).toContain('active proctype deliver_b_a()');
    expect(stdout).toContain(
      'a == a_idle_root_member && m == REQUEST_b -> a = a_idle_forwarding_member; a_b ! TOKEN',
    );
    expect(stderr).toBe('');
  });

  it('writes a module of TLA+, with its configuration in a comment', async () => {
    const { status, stdout } = await baton(
      'export',
      'naimi-trehel',
      '--sites',
      '2',
      '--liveness',
      '--to',
      'tlaplus',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^---- MODULE naimi_trehel ----\n.*\n====\n$/s);
    expect(stdout).toContain('\\*   SPECIFICATION Spec');
    expect(stdout).toContain(
      'Fair_a_is_served == Spec /\\ WF_vars(Deliver_b_a) /\\ WF_vars(Deliver_a_b) /\\ WF_vars(a_release) /\\ WF_vars(b_release)',
    );
    expect(stdout).toContain(
      'CASE at = "a_idle_root_member" /\\ m = "REQUEST_b" -> [to |-> "a_idle_forwarding_member"',
    );
    expect(stdout.match(/^a_is_served == .* ~> .*$/m)).not.toBeNull();
  });

  it.each([
    ['dot', 'digraph statechart {'],
    ['mermaid', 'stateDiagram-v2'],
  ])('writes the statechart as %s', async (format, beginning) => {
    const { status, stdout } = await baton('export', 'naimi-trehel', '--to', format);
    expect(status).toBe(0);
    expect(stdout.startsWith(beginning)).toBe(true);
    expect(stdout).toContain('withdrawn');
  });

  it('writes the statechart as SCXML', async () => {
    const { status, stdout } = await baton('export', 'naimi-trehel', '--to', 'scxml');
    expect(status).toBe(0);
    expect(stdout).toContain('<parallel id="site">');
    expect(stdout).toContain('<transition event="ask" cond="tokenHere" target="site.client.inCS">');
    const opened = [...stdout.matchAll(/<(\w+)[ >](?:[^>]*[^/])?>/g)]
      .map(([, tag]) => tag)
      .filter((tag) => tag !== 'xml');
    const closed = [...stdout.matchAll(/<\/(\w+)>/g)].map(([, tag]) => tag);
    expect(opened.sort()).toEqual(closed.sort());
  });

  it('refuses features that the language lacks', async () => {
    const { status, stderr } = await baton(
      'export',
      'verification/examples/two-phase-commit.ts',
      '--to',
      'scxml',
    );
    expect(status).toBe(2);
    expect(stderr).toContain('SCXML holds one statechart');
  });
});
