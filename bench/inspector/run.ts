/**
 * Measures the page and the cost of watching:
 *
 *     npm run bench:inspector                                        the page with 100,000 steps, then watching
 *     npm run bench:inspector -- page [STEPS | TIMELINE.json] [FILE]    FILE: where the timeline is kept for the next time
 *     npm run bench:inspector -- watching [SITES] [PAIRS] [SECONDS]
 *     npm run bench:inspector -- memory [MINUTES] [REST_MS]
 */
const [which, ...args] = process.argv.slice(2);

const parts: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  page: async (given) => (await import('./page.ts')).measurePage(given),
  watching: async (given) => (await import('./watching.ts')).measureWatching(given),
  memory: async (given) => (await import('./memory.ts')).measureMemory(given),
};

const chosen = which === undefined ? ['page', 'watching'] : [which];
for (const name of chosen) {
  const measure = Object.hasOwn(parts, name) ? parts[name] : undefined;
  if (measure === undefined) throw new Error(`expected ${Object.keys(parts).join(', ')}, not ${name}`);
  await measure(args);
}
