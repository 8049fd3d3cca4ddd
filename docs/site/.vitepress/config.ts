import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { defineConfig } from 'vitepress';

const checkout = join(import.meta.dirname, '../../..');
/** The pages of the checkout, as build.mjs copies them: every link between them stays as it is written. */
const pages = join(import.meta.dirname, '../pages');

/** A file of the checkout that is no page, such as source text: the site shows its name and no link. */
function isSource(page: string, href: string): boolean {
  const path = href.replace(/[?#].*$/, '');
  if (path === '' || /^\w+:/.test(path) || path.endsWith('.md')) return false;
  return existsSync(resolve(checkout, dirname(relative(pages, page)), path));
}

export default defineConfig({
  title: 'Baton',
  description: 'A distributed lock for Node.js with no server to run, and the model checker that proves it.',
  srcDir: pages,
  outDir: join(import.meta.dirname, '../dist'),
  cacheDir: join(import.meta.dirname, '../node_modules/.vitepress'),
  rewrites: { 'README.md': 'index.md' },
  lastUpdated: false,
  markdown: {
    // The anchors that GitHub makes, so that a link leads to its heading in both.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
    },
    config: (md) => {
      // Words in angle brackets are text. The reference alone has anchors in HTML.
      md.core.ruler.before('normalize', 'html', ({ env }) => {
        md.options.html = env.path.includes('/docs/api/');
      });
      md.core.ruler.push('sources', ({ tokens, env }) => {
        for (const { children } of tokens)
          for (const [at, token] of children?.entries() ?? []) {
            const href = token.type === 'link_open' ? token.attrGet('href') : null;
            if (href === null || !isSource(env.path, href)) continue;
            token.tag = 'span';
            token.attrs = [];
            const close = children!.slice(at).find(({ type }) => type === 'link_close');
            if (close) close.tag = 'span';
          }
      });
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Embed it', link: '/docs/embedding' },
      { text: 'Check your machines', link: '/docs/model-your-machines' },
      { text: 'Reference', link: '/docs/api/README' },
    ],
    sidebar: [
      {
        text: 'The lock',
        items: [
          { text: 'A lock in your service', link: '/docs/embedding' },
          { text: 'Recipes', link: '/docs/recipes' },
          { text: 'Fences', link: '/docs/fencing' },
          { text: 'Deploy', link: '/docs/deploy' },
          { text: 'Members', link: '/docs/membership' },
          { text: 'Configuration', link: '/docs/configuration' },
          { text: 'Errors', link: '/docs/errors' },
          { text: 'Observability', link: '/docs/observability' },
          { text: 'Security', link: '/SECURITY' },
          { text: 'Speed', link: '/docs/speed' },
          { text: 'Examples', link: '/examples/README' },
        ],
      },
      {
        text: 'The model checker',
        items: [
          { text: 'Model your machines', link: '/docs/model-your-machines' },
          { text: 'One machine alone', link: '/docs/check-one-machine' },
          { text: 'From other checkers', link: '/docs/from-other-checkers' },
          { text: 'Engines', link: '/docs/engines' },
          { text: 'Proofs', link: '/docs/proof' },
          { text: 'The inspector', link: '/docs/inspector' },
          { text: 'What is checked', link: '/verification/README' },
        ],
      },
      {
        text: 'How it works',
        items: [
          { text: 'The protocol', link: '/docs/protocol' },
          { text: 'Architecture', link: '/docs/architecture' },
          { text: 'Glossary', link: '/docs/glossary' },
          { text: 'Recorded runs', link: '/docs/trace' },
          { text: 'Chaos', link: '/docs/chaos' },
          { text: 'Decisions', link: '/docs/decisions' },
          { text: 'Contributing', link: '/CONTRIBUTING' },
          { text: 'Changes', link: '/CHANGELOG' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'batonlock', link: '/docs/api/runtime' },
          { text: 'batonlock/verification', link: '/docs/api/verification' },
        ],
      },
    ],
  },
});
