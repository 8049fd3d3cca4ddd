import type { CheckOptions } from '../check/report.ts';
import type { Options } from './sites.ts';

/** The largest size of a system that is checked within ten minutes on one core, and its counts. */
export interface Largest {
  readonly system: string;
  readonly options: Options;
  readonly check?: Pick<CheckOptions, 'symmetry' | 'liveness'>;
  readonly states: number;
  readonly orbits?: number;
}

const fifo = { order: 'fifo' } as const;

/** Every system of `systems.ts`, as `npm run test:slow` checks it. */
export const largest: readonly Largest[] = [
  { system: 'naimi-trehel', options: { sites: 6, network: fifo }, states: 27_195_984 },
  { system: 'naimi-trehel', options: { sites: 5, network: { order: 'unordered' } }, states: 494_320 },
  {
    system: 'naimi-trehel',
    options: { sites: 5, network: { order: 'unordered-by-target' } },
    states: 158_020,
  },
  {
    system: 'naimi-trehel',
    options: { sites: 7, network: fifo },
    check: { symmetry: true },
    states: 2_103_960_656,
    orbits: 437_771,
  },
  { system: 'naimi-trehel-combined', options: { sites: 5, network: fifo }, states: 703_160 },
  {
    system: 'naimi-trehel-leaving',
    options: { sites: 4, network: fifo, liveness: true },
    check: { liveness: true },
    states: 454_100,
  },
  {
    system: 'naimi-trehel-leaving',
    options: { sites: 5, network: fifo },
    check: { symmetry: true },
    states: 96_538_960,
    orbits: 810_689,
  },
  {
    system: 'line',
    options: { sites: 5, network: fifo, liveness: true },
    check: { liveness: true },
    states: 356_320,
  },
  {
    system: 'line',
    options: { sites: 6, network: fifo },
    check: { symmetry: true },
    states: 18_212_544,
    orbits: 26_960,
  },
  {
    system: 'line',
    options: { sites: 7, network: fifo },
    check: { symmetry: true },
    states: 1_129_346_624,
    orbits: 240_902,
  },
  { system: 'line', options: { sites: 5, network: { order: 'unordered' } }, states: 447_360 },
  { system: 'line', options: { sites: 5, network: { order: 'unordered-by-target' } }, states: 143_220 },
  { system: 'line-leaving', options: { sites: 4, network: fifo }, states: 365_780 },
  { system: 'epoch', options: { sites: 4, network: fifo }, states: 8_417_612 },
  { system: 'epoch-restarts', options: { sites: 3, network: fifo }, states: 9_089_311 },
  { system: 'epoch-changes', options: { sites: 3, network: fifo }, states: 29_806_880 },
  { system: 'epoch-fences', options: { sites: 3, network: fifo }, states: 1_474_116 },
  { system: 'epoch-combined', options: { sites: 3, network: fifo }, states: 101_139 },
  { system: 'link', options: { sites: 2, network: fifo }, states: 205_612 },
  { system: 'link-restarts', options: { sites: 2, network: fifo }, states: 116_693 },
];
