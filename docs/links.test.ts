import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
const pages = execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).trim().split('\n');

/** A page without its blocks of code. */
function proseOf(page: string): string {
  return readFileSync(join(root, page), 'utf8').replaceAll(/^```.*?^```$/gms, '');
}

/** Its anchors: those of headings, as GitHub and VitePress make them, and those that it names itself. */
function anchorsOf(page: string): ReadonlySet<string> {
  const prose = proseOf(page);
  const anchors = new Set<string>();
  for (const [, heading] of prose.matchAll(/^#+ (.*)$/gm)) {
    const name = heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = name;
    for (let number = 1; anchors.has(anchor); number++) anchor = `${name}-${number}`;
    anchors.add(anchor);
  }
  for (const [, anchor] of prose.matchAll(/<a id="([^"]+)">/g)) anchors.add(anchor!);
  return anchors;
}

function brokenIn(page: string, prose = proseOf(page)): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, href]) => {
    if (/^\w+:/.test(href!)) return [];
    const [path, anchor] = href!.split('#') as [string, string?];
    const target = path === '' ? page : relative(root, join(root, dirname(page), path));
    if (!existsSync(join(root, target))) return [`${page}: ${href} does not exist`];
    const isFound = anchor === undefined || !target.endsWith('.md') || anchorsOf(target).has(anchor);
    return isFound ? [] : [`${page}: ${href} is no heading`];
  });
}

it('every link between the pages leads to a file and a heading that exist', () => {
  expect(pages.length).toBeGreaterThan(20);
  expect(pages.flatMap((page) => brokenIn(page))).toEqual([]);
});

it('a link that is broken is seen', () => {
  expect(brokenIn('docs/errors.md', '[a](nowhere.md) [b](membership.md#nothing) [c](errors.md)')).toEqual([
    'docs/errors.md: nowhere.md does not exist',
    'docs/errors.md: membership.md#nothing is no heading',
  ]);
});

it('every page stands in the menu of the site', () => {
  const menu = readFileSync(join(root, 'docs/site/.vitepress/config.ts'), 'utf8');
  const links = new Set([...menu.matchAll(/link: '\/([^']*)'/g)].map(([, link]) => link));
  const shown = pages.filter((page) => page !== 'README.md').map((page) => page.replace(/\.md$/, ''));
  expect(shown.filter((page) => !links.has(page))).toEqual([]);
  expect([...links].filter((link) => !shown.includes(link!))).toEqual([]);
});
