import { diningPhilosophers } from './dining-philosophers.ts';

/** The table of dining-philosophers.ts with its remedy: the last philosopher takes the right fork first. */
export default diningPhilosophers({ leftHanded: true });
