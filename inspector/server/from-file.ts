import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { reasonOf } from '../../machines/errors.ts';
import type { Report } from '../../verification/check/check.ts';
import { UsageError } from '../../verification/check/errors.ts';
import { findSystem } from '../../verification/protocols/find-system.ts';
import type { Trace } from '../../verification/system/system.ts';
import type { Timeline } from '../../verification/timeline/format.ts';
import { fromReport, traceSource } from './from-report.ts';
import { type Shown, slug } from './sources.ts';

export interface FileOptions {
  /** The system of the traces, when the file does not name it or names it by another name. */
  readonly system?: string;
  readonly sites?: number;
  readonly network?: Report['network'];
}

/**
 * Reads the file or directory `path`: a report (`baton verify --json`), a trace (`--trace json`), a timeline that the
 * page wrote, or the record of a run (a directory of `*.ndjson`, or one such file). `say` is told how far the reading
 * of a large recording has come.
 *
 * @throws `UsageError`
 */
export async function fromFile(
  path: string,
  options: FileOptions,
  say: (text: string) => void = () => undefined,
): Promise<Shown> {
  const name = basename(path);
  if (isDirectory(path)) {
    const { recordSources } = await import('./from-record.ts');
    return { shown: recordSources(path, say), about: { title: name } };
  }
  const json = parsed(path);
  if (isTimeline(json)) {
    const { title, about } = json;
    const head = { id: slug(name.replace(/\.json$/, '')), title, about, kind: 'timeline' as const };
    return { shown: [{ head, timeline: () => json }], about: { title: name } };
  }
  if (isReport(json)) {
    const { sites, network } = json;
    const { system } = await findSystem(options.system ?? json.system, options, { sites, network });
    return fromReport(system, json);
  }
  if (isTrace(json)) {
    if (options.system === undefined) {
      throw new UsageError(
        `${path} is a trace, which does not say of what: name it, baton inspect ${path} SYSTEM`,
      );
    }
    const sites = Object.keys(json.initial).length;
    const { system } = await findSystem(options.system, options, { sites });
    const head = {
      id: slug(name),
      title: name,
      about: `${json.steps.length} steps`,
      kind: 'timeline' as const,
    };
    return { shown: [traceSource(system, json, head, null)], about: { title: name } };
  }
  throw new UsageError(
    `${path} is none of: a report (baton verify --json), a trace (--trace json), a timeline, a directory of records`,
  );
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`);
  }
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`cannot read ${path} as JSON: ${reasonOf(error)}`);
  }
}

const has = (value: unknown, ...keys: readonly string[]) =>
  typeof value === 'object' && value !== null && keys.every((key) => key in value);

const isTimeline = (value: unknown): value is Timeline => has(value, 'version', 'sites', 'steps', 'messages');
const isReport = (value: unknown): value is Report => has(value, 'system', 'properties', 'network');
const isTrace = (value: unknown): value is Trace => has(value, 'initial', 'steps');
