// `npm run docs:api [directory]`: the reference of what the package exports, from its doc comments, into `docs/api` or the
// directory. Status 1 and a line for each where something public has no comment, or names what is not public.
import { register } from 'node:module';

register('./resolve-typescript.mjs', import.meta.url);
const { Application } = await import('typedoc');

const out = process.argv[2] ?? 'docs/api';
const app = await Application.bootstrapWithPlugins({
  plugin: ['typedoc-plugin-markdown'],
  entryPoints: ['runtime/index.ts', 'verification/index.ts'],
  tsconfig: 'tsconfig.json',
  // What compiles is the compiler's to say, which is another version.
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
  // A viewer of the live feed need not know what a line is.
  intentionallyNotExported: ['InspectedState', 'StampedEnvelope', 'WatchAsk', 'RecordLine'],
  validation: { notDocumented: false, notExported: true, invalidLink: true },
  logLevel: 'Warn',
});
const project = await app.convert();
if (project === undefined) process.exit(1);
app.validate(project);
// Members may speak for themselves; what is exported must be spoken of.
for (const symbol of project.children.flatMap((entry) => entry.children ?? [])) {
  const said = [symbol, ...(symbol.signatures ?? []), symbol.type?.declaration].some((part) =>
    part?.hasComment(),
  );
  const signatures = symbol.type?.declaration?.signatures ?? [];
  if (!said && !signatures.some((part) => part.hasComment()) && symbol.variant !== 'reference')
    app.logger.warn(`${symbol.getFriendlyFullName()} has no comment`);
}
await app.generateOutputs(project);
if (app.logger.hasWarnings() || app.logger.hasErrors()) process.exit(1);
