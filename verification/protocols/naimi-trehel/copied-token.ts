import type { System } from '../../system/system.ts';
import type { Options } from '../sites.ts';
import { mutants } from './mutants.ts';
import { naimiTrehel } from './system.ts';

/** The commonest mistake in published programs, for `baton verify`: an idle root that is asked copies the token. */
export default (options: Options): System =>
  naimiTrehel({ ...options, machine: mutants['an idle root copies the token'] });
