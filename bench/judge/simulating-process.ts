import { brokenAssumptions, harms, identicalPairs } from './scenario.js';
import { simulate } from './simulate.js';

/** Some pairs of a scenario, by its name. */
export interface Chunk {
  scenario: string;
  seed: number;
  from: number;
  to: number;
}

process.on('message', ({ scenario: name, ...range }: Chunk) => {
  const scenario = [...identicalPairs, ...brokenAssumptions, ...harms].find((one) => one.name === name);
  if (!scenario) throw new RangeError(`there is no scenario ${name}`);
  process.send?.(simulate(scenario, range));
});
