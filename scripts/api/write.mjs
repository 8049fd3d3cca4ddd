// `npm run docs:api [directory]` writes the reference of the package's exports, from their doc comments, into
// `docs/api` or the directory. It exits with status 1 and prints a line for each public item that has no
// comment or names an item that is not public.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';

register('./resolve-typescript.mjs', import.meta.url);
const { Application } = await import('typedoc');

const out = process.argv[2] ?? 'docs/api';
const app = await Application.bootstrapWithPlugins({
  plugin: ['typedoc-plugin-markdown'],
  entryPoints: ['runtime/index.ts', 'verification/index.ts'],
  tsconfig: 'tsconfig.json',
  // Type errors are the concern of the compiler, which is another version.
  skipErrorChecking: true,
  out,
  readme: 'none',
  router: 'module',
  disableSources: true,
  excludePrivate: true,
  excludeExternals: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  interfacePropertiesFormat: 'table',
  parametersFormat: 'table',
  typeDeclarationFormat: 'table',
  // A viewer of the live feed need not know the format of a line. The sentences of the options are in docs/configuration.md.
  intentionallyNotExported: [
    'ActorOf',
    'AnyConfig',
    'InspectedState',
    'OutcomeOf',
    'StampedEnvelope',
    'WatchAsk',
  ],
  validation: { notDocumented: false, notExported: true, invalidLink: true },
  logLevel: 'Warn',
});
const project = await app.convert();
if (project === undefined) process.exit(1);
app.validate(project);
// Members may do without a comment. Every export needs one.
for (const symbol of project.children.flatMap((entry) => entry.children ?? [])) {
  const said = [symbol, ...(symbol.signatures ?? []), symbol.type?.declaration].some((part) =>
    part?.hasComment(),
  );
  const signatures = symbol.type?.declaration?.signatures ?? [];
  if (!said && !signatures.some((part) => part.hasComment()) && symbol.variant !== 'reference')
    app.logger.warn(`${symbol.getFriendlyFullName()} has no comment`);
}
await app.generateOutputs(project);
// The plugin numbers an interface that has a method of almost its name, and its heading it does not.
for (const page of readdirSync(out)) {
  const text = readFileSync(join(out, page), 'utf8');
  const headings = new Set([...text.matchAll(/^#+ (\w+)/gm)].map(([, name]) => name.toLowerCase()));
  const isNumbered = (name) => [...text.matchAll(new RegExp(`^#+ ${name}\\b`, 'gim'))].length > 1;
  const mended = text.replaceAll(/\(#(\w+)-\d+\)/g, (link, name) =>
    headings.has(name) && !isNumbered(name) ? `(#${name})` : link,
  );
  writeFileSync(join(out, page), mended);
}
if (app.logger.hasWarnings() || app.logger.hasErrors()) process.exit(1);
