import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HeldActivity, Hold } from '../../workers/activity-failpoints.js';

export interface PlacedHold {
  /** The activity that waits here now; undefined until one does. */
  held(): HeldActivity | undefined;
  /** Lets it go on, and holds no other. */
  release(): void;
}

/** Asks the stack's workers to hold activities, by files in the folder that PERDURE_HOLD_FOLDER names. */
export function createHolds(folder: string) {
  mkdirSync(folder, { recursive: true });
  let count = 0;
  const placed = new Set<PlacedHold>();
  return {
    place(hold: Hold): PlacedHold {
      const name = path.join(folder, String((count += 1)));
      writeFileSync(`${name}.new`, JSON.stringify(hold));
      renameSync(`${name}.new`, `${name}.hold.json`);
      const one: PlacedHold = {
        held: () =>
          existsSync(`${name}.held.json`)
            ? (JSON.parse(readFileSync(`${name}.held.json`, 'utf8')) as HeldActivity)
            : undefined,
        release: () => {
          rmSync(`${name}.hold.json`, { force: true });
          rmSync(`${name}.held.json`, { force: true });
          placed.delete(one);
        },
      };
      placed.add(one);
      return one;
    },
    releaseAll: () => [...placed].forEach((one) => one.release()),
  };
}

export type Holds = ReturnType<typeof createHolds>;
