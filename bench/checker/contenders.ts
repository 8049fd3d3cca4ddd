import { fileURLToPath } from 'node:url';
import type { Answer } from './answer.ts';
import type { Command } from './measure.ts';
import { hasSpin, parseSpin, prepareSpin } from './spin.ts';
import { parseTlc, prepareTlc, whereTlcIs } from './tlc.ts';

/** A program to be compared: how to run it, and the largest number of sites worth a try. */
export interface Contender {
  readonly name: string;
  readonly mostSites: number;
  /** Measured once, independent of the requested number of runs. */
  readonly isSlow: boolean;
  /** Puts the files that it needs below `folder`. */
  prepare(sites: number, folder: string): Promise<Command>;
  readonly parse?: (output: string) => Answer;
}

export const reference = 'SPIN, depth first';

/**
 * Baton, and all others that are installed on this machine. `peers` are `NAME=COMMAND`, where `{N}` stands
 * for the number of sites.
 */
export async function contenders(peers: readonly string[]): Promise<readonly Contender[]> {
  const found = [
    ours('Baton', 6, ['1']),
    ours('Baton, two workers', 6, ['2']),
    ours('Baton, symmetry', 7, ['1', 'symmetry']),
  ];
  if (await hasSpin()) {
    found.push({
      name: reference,
      mostSites: 6,
      isSlow: false,
      prepare: prepareSpin,
      parse: parseSpin,
    });
  } else console.error('SPIN is left out: spin and gcc are not on the PATH (Debian: apt install spin gcc).');
  const tlc = whereTlcIs();
  if (tlc !== null) {
    found.push({
      name: 'TLC, one worker',
      mostSites: 5,
      isSlow: true,
      prepare: (sites, folder) => prepareTlc(tlc, sites, folder),
      parse: parseTlc,
    });
  } else console.error('TLC is left out: the variable TLA2TOOLS_JAR names no tla2tools.jar.');
  found.push(
    script('breadth first in plain JavaScript', 'naive.ts', 5),
    script('xstate/graph, getAdjacencyMap', 'xstate-graph.ts', 5),
  );
  return [...found, ...peers.map(peer)];
}

function ours(name: string, mostSites: number, args: readonly string[]): Contender {
  return {
    name,
    mostSites,
    isSlow: false,
    prepare: async (sites) => node('baton.ts', [String(sites), ...args]),
  };
}

function script(name: string, file: string, mostSites: number): Contender {
  return {
    name,
    mostSites,
    isSlow: true,
    prepare: async (sites) => node(file, [String(sites)]),
  };
}

function node(file: string, args: readonly string[]): Command {
  const program = fileURLToPath(new URL(`./programs/${file}`, import.meta.url));
  const flags = ['--max-old-space-size=8192', '--import', 'tsx'];
  return { file: process.execPath, args: [...flags, program, ...args] };
}

function peer(text: string): Contender {
  const [, name, command] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || command === undefined) {
    throw new Error(`--peer expects NAME=COMMAND, such as 'mine=./explore {N}', and got '${text}'`);
  }
  const [file = '', ...args] = command.trim().split(/\s+/);
  return {
    name,
    mostSites: 7,
    isSlow: false,
    prepare: async (sites) => ({ file, args: args.map((arg) => arg.replaceAll('{N}', String(sites))) }),
  };
}
