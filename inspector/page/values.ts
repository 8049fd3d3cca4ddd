import type { Chart, ChartState, SiteState, Timeline } from '../../verification/timeline/format.ts';

/** `REQUEST(origin=b)`. */
export function typedText({ type, ...fields }: { readonly type: string }): string {
  const params = Object.entries(fields).map(([key, value]) => `${key}=${literal(value)}`);
  return params.length === 0 ? type : `${type}(${params.join(', ')})`;
}

/** A value as JSON, except that a plain word stands without quotes. `[]`, `""`, `null` and `"1"` differ. */
export function literal(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return isWord(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  const fields = Object.entries(value);
  if (isSet(value)) return `{${fields.map(([key]) => key).join(', ')}}`;
  return `{${fields.map(([key, one]) => `${key}: ${literal(one)}`).join(', ')}}`;
}

function isWord(text: string): boolean {
  return (
    /^[\p{L}_][\p{L}\p{N}_.:@-]*$/u.test(text) && !['true', 'false', 'null', 'NaN', 'Infinity'].includes(text)
  );
}

/** Tells whether the object is the JSON form of a set. */
function isSet(value: object): boolean {
  const members = Object.values(value);
  return members.length > 0 && members.every((one) => one === true);
}

/** Tells whether the value is shown as a tree of its fields instead of one line. */
export function isTree(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const parts = Object.values(value);
  if (parts.length === 0) return false;
  return Array.isArray(value)
    ? parts.some((part) => typeof part === 'object' && part !== null)
    : !isSet(value);
}

export function contextOf({ context }: SiteState): Readonly<Record<string, unknown>> {
  return typeof context === 'object' && context !== null ? (context as Record<string, unknown>) : {};
}

/**
 * A state value by region: `{ client: 'inCS', routing: 'root' }`. For a machine without regions the key is
 * `state`.
 */
export function regionsOf(value: unknown): Readonly<Record<string, string>> {
  if (value === null || value === undefined) return {};
  if (typeof value === 'string') return { state: value };
  const regions = Object.entries(value as object);
  return Object.fromEntries(regions.map(([key, inner]) => [key, pathText(inner)]));
}

function pathText(value: unknown): string {
  if (typeof value === 'string') return value;
  const parts = Object.entries(value as object).map(([key, inner]) => {
    const text = pathText(inner);
    return text === '' ? key : `${key}.${text}`;
  });
  return parts.join(' ');
}

/** Tells whether the state at this path of keys is active. */
export function isIn(value: unknown, path: string): boolean {
  let at = value;
  const keys = path.split('.');
  for (const [index, key] of keys.entries()) {
    if (typeof at === 'string') return at === key && index === keys.length - 1;
    if (typeof at !== 'object' || at === null || !(key in at)) return false;
    at = (at as Record<string, unknown>)[key];
  }
  return true;
}

/** Ids of the active states of the chart. */
export function activeStates({ root }: Chart, value: unknown): ReadonlySet<string> {
  const active = new Set<string>();
  const enter = (state: ChartState, inner: unknown): void => {
    active.add(state.id);
    for (const child of state.children) {
      if (inner === child.key) active.add(child.id);
      else if (typeof inner === 'object' && inner !== null && child.key in inner) {
        enter(child, (inner as Record<string, unknown>)[child.key]);
      }
    }
  };
  if (value !== null && value !== undefined) enter(root, value);
  return active;
}

export function isCritical({ critical }: Timeline, { up, value }: SiteState): boolean {
  return up && critical.some((path) => isIn(value, path));
}

/** The short name of a step: the event taken, or the kind of the step. */
export function stepLabel({ event, kind }: Timeline['steps'][number]): string {
  return event?.type.replace(/^xstate\.after\.([^.]+)\..*$/, 'after $1') ?? kind;
}
