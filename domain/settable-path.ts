const placesOfTraining = ['algorithm', 'parameters', 'seed', 'threads', 'timeoutMinutes', 'memoryMb'] as const;

/**
 * What one run may change of a definition: how it trains, and on which window. What judges it, and what callers are
 * promised, is the applied definition's.
 */
const changeable = new Set([...placesOfTraining.map((place) => `training.${place}`), 'data.window']);
/** Those that hold places of their own. */
const mayBeEntered: ReadonlySet<string> = new Set(['training.parameters', 'data.window']);

/** Why a run may not change the value at this path of the definition; null where it may. */
export function whyNotSettable(path: string): string | null {
  const [part, name, inside, ...deeper] = path.split('.');
  const place = `${part}.${name}`;
  const entered = inside !== undefined;
  if (changeable.has(place) && deeper.length === 0 && (!entered || (mayBeEntered.has(place) && isOwnName(inside))))
    return null;
  return (
    `a run may not change this, only ${[...changeable].join(', ')}, and fields inside ` +
    `${[...mayBeEntered].join(' and ')}. Change the model's file, and apply it`
  );
}

/** Not a name that every JavaScript object knows. */
const isOwnName = (name: string): boolean => name !== '' && !(name in Object.prototype);
