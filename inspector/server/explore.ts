import type { System } from '../../verification/system/system.ts';
import { Explorer, PathError } from '../../verification/timeline/explorer.ts';
import { StateTextError } from '../../verification/timeline/state-text.ts';
import type { Sources } from '../protocol.ts';
import { type Answer, Refused } from './server.ts';
import { laidOut } from './sources.ts';

/** The answers to the page while a viewer walks through `system`. */
export function answerExploring(system: System): Answer {
  const explorer = new Explorer(system);
  const size = Object.keys(system.actors).length;
  const head = { id: 'explore', title: system.name, about: `${size} actors`, kind: 'explore' as const };
  const sources: Sources = { title: `${system.name}, ${size} actors`, sources: [head] };
  return async (path, query) => {
    try {
      if (path === 'sources') return sources;
      if (path === 'explore') {
        const explored = explorer.explored(pathOf(query.get('path') ?? ''));
        return { ...explored, ...(await laidOut(explored.timeline)) };
      }
      if (path === 'find') return await find(explorer, query);
    } catch (error) {
      if (error instanceof PathError || error instanceof StateTextError) {
        throw new Refused(error.code, error.message);
      }
      throw error;
    }
    throw new Refused('NOT_FOUND', `no ${path}; there is sources, explore?path= and find?`, 404);
  };
}

function find(explorer: Explorer, query: URLSearchParams) {
  const property = query.get('property');
  if (property !== null) return explorer.toProperty(property);
  const state = query.get('state');
  if (state !== null) return explorer.toState(state);
  throw new Refused('QUERY_REFUSED', 'expected find?property=NAME or find?state=TEXT');
}

function pathOf(text: string): readonly number[] {
  if (text === '') return [];
  if (!/^\d+(\.\d+)*$/.test(text) || text.length > 100_000) {
    throw new Refused(
      'QUERY_REFUSED',
      `expected a path of choices such as 0.2.1, not "${text.slice(0, 80)}"`,
    );
  }
  return text.split('.').map(Number);
}
