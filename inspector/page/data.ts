import {
  type Embedded,
  type Explored,
  embeddedId,
  type Found,
  type Laid,
  type Locks,
  type LockTable,
  type Problem,
  type SiteMembers,
  type Sources,
} from '../protocol.ts';
import { received, type SentLaid } from '../sent.ts';

/** The source of the page's data: its server, or the page itself. */
export interface Data {
  sources(): Promise<Sources>;
  timeline(id: string): Promise<Laid>;
  explored(path: readonly number[]): Promise<Explored>;
  /** Finds the state that decides the named property, or a state by its description. */
  find(what: { readonly property: string } | { readonly state: string }): Promise<Found>;
  /** Locks of the watched cluster. */
  locks(like: string): Promise<Locks>;
  /** The holders and the queues of those locks. */
  table(like: string): Promise<LockTable>;
  /** The members of the watched cluster, as each of its sites knows them. */
  members(): Promise<readonly SiteMembers[]>;
}

export function dataOf(document: Document): Data {
  const element = document.getElementById(embeddedId);
  return element === null ? served : embedded(JSON.parse(element.textContent ?? '') as Embedded);
}

const served: Data = {
  sources: () => get('api/sources'),
  timeline: async (id) => received(await get<SentLaid>(`api/timeline/${id}`)),
  explored: (path) => get(`api/explore?path=${path.join('.')}`),
  find: (what) => get(`api/find?${new URLSearchParams(what)}`),
  locks: (like) => get(`api/locks?${new URLSearchParams({ like })}`),
  table: (like) => get(`api/table?${new URLSearchParams({ like })}`),
  members: () => get('api/members'),
};

/** Requests an answer from the server. Throws an error that tells what happened and what to do. */
async function get<Answer>(path: string): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: 'application/json' } });
  } catch {
    throw new Error(
      `The server at ${location.host} does not answer. Start baton again in the terminal, then reload this page.`,
    );
  }
  const text = await response.text();
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`expected JSON from ${path}, got status ${response.status}: ${text.slice(0, 80)}`);
  }
  if (response.ok) return answer as Answer;
  const { code, message } = answer as Partial<Problem>;
  throw new Error(
    message ? message : `${path} was refused with status ${response.status} (${code ?? 'no code'})`,
  );
}

/** The text of any thrown value. */
export function textOf(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  const text = typeof error === 'string' ? error : JSON.stringify(error);
  return text === undefined || text === '' || text === '{}'
    ? 'An error without a text; the browser console may say more.'
    : text;
}

function embedded({ sources, timelines }: Embedded): Data {
  const none = () => Promise.reject(new Error('This page is a file: nothing can be explored in it.'));
  return {
    sources: () => Promise.resolve(sources),
    timeline: (id) => {
      const laid = timelines[id];
      return laid === undefined
        ? Promise.reject(new Error(`There is no source ${id} in this page.`))
        : Promise.resolve(received(laid));
    },
    explored: none,
    find: none,
    locks: none,
    table: none,
    members: none,
  };
}
