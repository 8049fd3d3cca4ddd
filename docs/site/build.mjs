// `npm run docs:site`: builds the pages of the checkout into docs/site/dist. VitePress wants its packages above the pages, so
// they are copied below this folder first. It ends with 1 on a link to a page that does not exist.
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vitepress';

const site = import.meta.dirname;
const checkout = join(site, '../..');
const pages = join(site, 'pages');

rmSync(pages, { recursive: true, force: true });
const tracked = ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.md', 'docs/images'];
const files = execFileSync('git', tracked, { cwd: checkout, encoding: 'utf8' }).trim().split('\n');
for (const file of files) cpSync(join(checkout, file), join(pages, file));
await build(site);
