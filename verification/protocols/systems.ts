import type { SystemSource } from '../check/source.ts';
import type { System } from '../system/system.ts';
import { epochForgetting } from './epoch/forgetting.ts';
import { epochLiveness } from './epoch/liveness.ts';
import { epochOver } from './epoch/over.ts';
import {
  epoch,
  epochChanges,
  epochCombined,
  epochFences,
  epochRestarts,
  epochStrict,
} from './epoch/system.ts';
import { guestsOf } from './guests/system.ts';
import { line, lineCombined, lineLeaving, lineOvertaking } from './line/system.ts';
import { link, linkRestarts } from './link/system.ts';
import { fittingOf } from './members/fitting.ts';
import { foundingAnewOf, foundingOf } from './members/founding.ts';
import { membersOf } from './members/system.ts';
import { naimiTrehel, naimiTrehelCombined, naimiTrehelLeaving } from './naimi-trehel/system.ts';
import type { Options } from './sites.ts';
import { sketch } from './sketch/system.ts';

export { type Options, OptionsError } from './sites.ts';

/** The systems that can be asked for by name. Each throws `OptionsError` for a size or network it cannot have. */
export const systems: Readonly<Record<string, (options: Options) => System>> = {
  'naimi-trehel': naimiTrehel,
  'naimi-trehel-combined': naimiTrehelCombined,
  'naimi-trehel-leaving': naimiTrehelLeaving,
  line,
  'line-combined': lineCombined,
  'line-leaving': lineLeaving,
  'line-overtaking': lineOvertaking,
  sketch,
  epoch,
  'epoch-restarts': epochRestarts,
  'epoch-changes': epochChanges,
  'epoch-fences': epochFences,
  'epoch-strict': epochStrict,
  'epoch-combined': epochCombined,
  'epoch-liveness': (options) => epochLiveness(options),
  'epoch-over': epochOver,
  'epoch-forgetting': epochForgetting,
  founding: foundingOf,
  'founding-anew': foundingAnewOf,
  fitting: fittingOf,
  guests: guestsOf,
  members: membersOf,
  link,
  'link-restarts': linkRestarts,
};

/** The number of sites of a system that cannot have three. */
export const defaultSites: Readonly<Record<string, number>> = { guests: 2, link: 2, 'link-restarts': 2 };

/** Where threads find a system of this list again. */
export function sourceOf(name: string, options: Options): SystemSource {
  return { module: import.meta.url, export: 'systemOf', options: { name, options } };
}

export function systemOf({ name, options }: { readonly name: string; readonly options: Options }): System {
  return systems[name]!(options);
}
