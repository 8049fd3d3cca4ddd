import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { nameInWords } from './rule-names.ts';

it('says each rule that names a property as its heading in docs/protocol.md does', () => {
  const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const headings = [...page.matchAll(/^#### ([LS]\d|[TQ]) (.*)$/gm)];
  expect(headings.length).toBeGreaterThan(12);
  for (const [, rule, words] of headings)
    expect(nameInWords(rule!).toLowerCase()).toBe(`${rule}: ${words}`.toLowerCase());
  expect(nameInWords('mutual exclusion')).toBe('mutual exclusion');
});
