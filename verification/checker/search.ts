import type { Model } from './model.ts';
import { Engine } from './search/engine.ts';
import type { SearchOptions, SearchResult } from './search/types.ts';

export * from './search/types.ts';

/** Explores every reachable state of `model`, breadth first. */
export async function search(model: Model, options: SearchOptions = {}): Promise<SearchResult> {
  return new Engine(model, options).run();
}

export { shortestTrace } from './search/trace.ts';
