import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ruleTitles } from './rules.ts';
import { systems } from './systems.ts';

it('names each rule with the words that docs/protocol.md has for it', () => {
  const text = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const titles = Object.fromEntries(
    [...text.matchAll(/^#### ([LSTQ]\d?) (.+)$/gm)].map(([, name, title]) => [name, title]),
  );
  expect(Object.keys(titles).length).toBeGreaterThan(9);
  expect(ruleTitles).toMatchObject(titles);
});

it('has words for every property whose name is one short word', () => {
  for (const [name, make] of Object.entries(systems)) {
    const { properties } = make({ sites: name.startsWith('link') ? 2 : 3, network: { order: 'fifo' } });
    for (const { name: rule } of properties) {
      if (!rule.includes(' ')) expect(ruleTitles, `${name}: ${rule}`).toHaveProperty(rule);
    }
  }
});
