import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification, type Vitest } from 'vitest/node';

const root = join(import.meta.dirname, '..');

/** The test files that take longest, the longest first (`npx vitest run --reporter=json`, `endTime - startTime`). */
const longest = [
  'cli/chaos.test.ts',
  'scripts/build/package.test.ts',
  'inspector/server/fit.test.ts',
  'inspector/server/browser.test.ts',
  'docs/readme.test.ts',
  'cli/site.test.ts',
  'verification/protocols/naimi-trehel/proof/theory.test.ts',
  'inspector/server/looks.test.ts',
  'verification/protocols/link/system.test.ts',
  'cli/demo.test.ts',
  'verification/protocols/epoch/mutants.test.ts',
  'verification/system/random.test.ts',
  'verification/protocols/epoch/liveness.test.ts',
  'verification/protocols/epoch/system.test.ts',
  'verification/protocols/link/mutants.test.ts',
  'verification/checker/packed/search.test.ts',
  'runtime/founding.test.ts',
  'cli/verify.test.ts',
  'verification/protocols/epoch/leases.test.ts',
  'inspector/server/attach.test.ts',
  'verification/protocols/epoch/reductions.test.ts',
  'verification/runs/epoch.test.ts',
  'verification/engines/spin.test.ts',
  'examples/examples.test.ts',
  'verification/protocols/members/mutants.test.ts',
  'verification/protocols/members/members.test.ts',
];

/**
 * Begins the longest test files first, so that none of them is the only one left at the end. A fresh clone has no durations
 * of an earlier run, and Vitest then goes by the sizes of the files.
 */
export class LongestFirst extends BaseSequencer {
  readonly #places: ReadonlyMap<string, number>;

  constructor(vitest: Vitest) {
    super(vitest);
    const gone = longest.filter((file) => !existsSync(join(root, file)));
    if (gone.length > 0)
      throw new Error(`scripts/longest-first.ts names files that do not exist: ${gone.join(', ')}`);
    this.#places = new Map(longest.map((file, index) => [join(root, file), index]));
  }

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => this.#places.get(moduleId) ?? longest.length;
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}
