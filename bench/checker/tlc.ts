import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer } from './answer.ts';
import type { Command } from './measure.ts';

const model = fileURLToPath(new URL('./NaimiTrehel.tla', import.meta.url));

/** The value of the variable TLA2TOOLS_JAR: the path of tla2tools.jar. `null` when it is not set. */
export function whereTlcIs(): string | null {
  return process.env['TLA2TOOLS_JAR'] ?? null;
}

/** Writes model and configuration for `sites` sites below `folder`. One worker, fingerprints in memory. */
export async function prepareTlc(jar: string, sites: number, folder: string): Promise<Command> {
  const dir = join(folder, `tlc-${sites}`);
  await mkdir(dir);
  await copyFile(model, join(dir, 'NaimiTrehel.tla'));
  const settings = ['SPECIFICATION Spec', `CONSTANT N = ${sites}`, 'CHECK_DEADLOCK FALSE'];
  await writeFile(join(dir, 'NaimiTrehel.cfg'), `${settings.join('\n')}\n`);
  const java = ['-XX:+UseParallelGC', '-Xmx12g', '-cp', jar, 'tlc2.TLC'];
  const tlc = ['-workers', '1', '-metadir', join(dir, 'states'), join(dir, 'NaimiTrehel')];
  return { file: 'java', args: [...java, ...tlc] };
}

/** TLC counts the initial state as generated, and reports the time in whole seconds. */
export function parseTlc(output: string): Answer {
  const counts = /^([0-9,]+) states generated, ([0-9,]+) distinct states found, 0 states left/m.exec(output);
  const time = /Finished in (?:(\d+)h )?(?:(\d+)min )?(\d+)s/.exec(output);
  if (!counts || !time || !output.includes('No error has been found')) {
    throw new Error(`expected counts, a time and no error in TLC's output: ${output.slice(-500)}`);
  }
  const number = (text = '0') => Number(text.replaceAll(',', ''));
  const [, hours, minutes, seconds] = time;
  return {
    states: number(counts[2]),
    transitions: number(counts[1]) - 1,
    orbits: null,
    seconds: Math.max(1, (number(hours) * 60 + number(minutes)) * 60 + number(seconds)),
    tableBytes: null,
  };
}
