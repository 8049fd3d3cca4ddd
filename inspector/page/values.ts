import type { Chart, ChartState, SiteState, Timeline } from '../../verification/timeline/format.ts';

/** `REQUEST(origin=b)`. */
export function typedText({ type, ...fields }: { readonly type: string }): string {
  const params = Object.entries(fields).map(([key, value]) => `${key}=${plainText(value)}`);
  return params.length === 0 ? type : `${type}(${params.join(', ')})`;
}

/**
 * A value on one line. Text is unchanged, `null` is a dash, a set is its members, and an object its fields.
 */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null) return '–';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map(plainText).join(' ');
  const fields = Object.entries(value);
  // A set in its JSON form.
  if (fields.length > 0 && fields.every(([, one]) => one === true))
    return fields.map(([key]) => key).join(' ');
  return fields.length === 0 ? '{}' : fields.map(([key, one]) => `${key} ${nested(one)}`).join(', ');
}

function nested(value: unknown): string {
  const text = plainText(value);
  return typeof value === 'object' && value !== null ? `(${text})` : text;
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
