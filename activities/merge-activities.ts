type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/**
 * The activities of several factories as one set. An activity's name is a wire name in one namespace for all: of two
 * that share it, one would silently never run.
 * @throws an Error that names what two factories both make.
 */
export function mergeActivities<Factories extends Readonly<Record<string, object>>>(
  factories: Factories,
): Intersection<Factories[keyof Factories]> {
  const madeBy = new Map<string, string>();
  const merged: Record<string, unknown> = {};
  for (const [factory, activities] of Object.entries(factories)) {
    for (const [name, activity] of Object.entries(activities)) {
      const other = madeBy.get(name);
      if (other !== undefined)
        throw new Error(
          `Two activities have the name ${name}: one of ${other}, one of ${factory}. Rename the newer one: ` +
            'activity names never change.',
        );
      madeBy.set(name, factory);
      merged[name] = activity;
    }
  }
  return merged as Intersection<Factories[keyof Factories]>;
}
