import { exploreNaively } from '../../../verification/checker/naive.ts';
import { naimiTrehel } from '../../../verification/protocols/naimi-trehel/system.ts';
import { compile } from '../../../verification/system/index.ts';
import { printAnswer } from '../answer.ts';

/** `naive.ts SITES`: breadth-first search in plain JavaScript over the same steps. It judges nothing. */
const started = performance.now();
const { model } = compile(naimiTrehel({ sites: Number(process.argv[2]), network: { order: 'fifo' } }));
const { states, transitions } = exploreNaively(model);
const seconds = (performance.now() - started) / 1000;
printAnswer({ states, transitions, orbits: null, seconds, tableBytes: null });
