import type { Model } from '../model.ts';
import { searchOrbits } from '../orbits.ts';
import { Engine } from './engine.ts';
import { refuseUnfitHashes } from './hashing.ts';
import type { SearchOptions, SearchResult } from './types.ts';

export * from './types.ts';

/** Explores every reachable state of `model`, breadth first. */
export async function search(model: Model, options: SearchOptions = {}): Promise<SearchResult> {
  refuseUnfitHashes(options);
  const { symmetry, checkpointDir, resumeDir, spillDir } = options;
  if (symmetry !== undefined && (checkpointDir ?? resumeDir ?? spillDir) === undefined) {
    return searchOrbits(model, symmetry, options);
  }
  return new Engine(model, options).run();
}

export { shortestTrace, type TraceOptions } from './trace.ts';
