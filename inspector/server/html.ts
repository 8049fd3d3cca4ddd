import { createHash } from 'node:crypto';
import { type Embedded, embeddedId } from '../protocol.ts';
import { builtPage } from './page.ts';

/** The page in one file, with all that it shows in it: it asks nobody for anything, and its policy forbids it to. */
export async function selfContained(data: Embedded, say: (text: string) => void): Promise<string> {
  const files = await builtPage(say);
  const text = (path: string) => files.get(path)!.body.toString('utf8');
  const script = text('/page.js').replaceAll('</script', '<\\/script');
  const style = text('/page.css');
  const policy = [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(style)}'`,
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  // `<` alone could end the element, or begin another.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  const { title } = data.sources;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8" />',
    `<meta http-equiv="content-security-policy" content="${policy}" />`,
    '<meta name="viewport" content="width=device-width, initial-scale=1" />',
    '<meta name="color-scheme" content="light dark" />',
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<div id="root"></div>',
    `<script type="application/json" id="${embeddedId}">${json}</script>`,
    `<script type="module">${script}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
