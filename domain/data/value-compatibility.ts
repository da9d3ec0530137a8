import type { AcceptedFeature, Feature } from './contract.js';
import type { ContractChange } from './contract-change.js';
import { characterCount } from '../text/plain-text.js';

const keepWide = 'Keep accepting what it accepted until callers have moved.';

/** How the values that a feature takes have changed, absence left out. */
export function changesOfValues(feature: string, before: Feature | AcceptedFeature, after: Feature): ContractChange[] {
  if (before.type !== after.type) {
    const effect = `is a ${after.type} now; callers send a ${before.type}`;
    return [
      {
        ...{ feature, change: 'retyped', breaking: true, effect },
        remedy: `Give the new type a name of its own, with a default, and put ${feature} into contract.accepts.`,
      },
    ];
  }
  const values =
    before.type === 'number' && after.type === 'number'
      ? changesOfRange(feature, before, after)
      : before.type === 'string' && after.type === 'string'
        ? changesOfText(feature, before, after)
        : [];
  return [...changesOfNull(feature, before.nullable, after.nullable), ...values];
}

function changesOfNull(feature: string, before: boolean, after: boolean): ContractChange[] {
  if (before === after) return [];
  if (after) return [{ feature, change: 'nullable', breaking: false, effect: 'may be missing now', remedy: null }];
  return [
    {
      ...{
        feature,
        change: 'not-nullable',
        breaking: true,
        effect: 'may not be missing any more, and callers send null',
      },
      remedy: keepWide,
    },
  ];
}

type Values<T extends 'number' | 'string'> = Extract<Feature | AcceptedFeature, { type: T }>;

function changesOfRange(feature: string, before: Values<'number'>, after: Values<'number'>): ContractChange[] {
  // As the gateway compares: in FP32.
  const range = ({ min = -Infinity, max = Infinity }: Values<'number'>) =>
    [Math.fround(min), Math.fround(max)] as const;
  const text = ({ min, max }: Values<'number'>) => `${min ?? '-∞'} … ${max ?? '∞'}`;
  const [[minBefore, maxBefore], [minAfter, maxAfter]] = [range(before), range(after)];
  const effect = `takes ${text(after)} instead of ${text(before)}`;
  if (minAfter > minBefore || maxAfter < maxBefore)
    return [{ feature, change: 'narrowed', breaking: true, effect, remedy: keepWide }];
  if (minAfter < minBefore || maxAfter > maxBefore)
    return [{ feature, change: 'widened', breaking: false, effect, remedy: null }];
  return [];
}

function changesOfText(feature: string, before: Values<'string'>, after: Values<'string'>): ContractChange[] {
  return [...changesOfLevels(feature, before, after), ...changesOfLength(feature, before, after)];
}

function changesOfLevels(feature: string, before: Values<'string'>, after: Values<'string'>): ContractChange[] {
  const [was, is] = [before.levels ?? [], after.levels ?? []];
  const [removed, added] = [was.filter((level) => !is.includes(level)), is.filter((level) => !was.includes(level))];
  const list = (levels: readonly string[]) =>
    levels.slice(0, 10).join(', ') + (levels.length > 10 ? ` and ${levels.length - 10} more` : '');
  if (after.closed && !before.closed)
    return [
      {
        ...{ feature, change: 'levels-closed', breaking: true },
        effect: `takes only ${list(is)} now; callers may send any text`,
        remedy: `Leave it open: a level that is not listed is counted. ${keepWide}`,
      },
    ];
  const changes: ContractChange[] = [];
  if (before.closed && !after.closed)
    changes.push({
      feature,
      change: 'levels-opened',
      breaking: false,
      effect: 'takes levels that are not listed too',
      remedy: null,
    });
  if (removed.length > 0) {
    // A level that was listed and too long was never taken.
    const refused = removed.filter((level) => characterCount(level) <= before.maxLength);
    const breaking = after.closed && refused.length > 0;
    const effect = breaking ? `no longer takes ${list(refused)}` : `no longer lists ${list(removed)}`;
    changes.push({ feature, change: 'level-removed', breaking, effect, remedy: breaking ? keepWide : null });
  }
  if (added.length > 0)
    changes.push({ feature, change: 'level-added', breaking: false, effect: `knows ${list(added)} too`, remedy: null });
  if (removed.length + added.length === 0 && was.some((level, index) => level !== is[index]))
    changes.push({
      feature,
      change: 'reordered',
      breaking: false,
      effect: 'lists its levels in another order',
      remedy: null,
    });
  return changes;
}

function changesOfLength(feature: string, before: Values<'string'>, after: Values<'string'>): ContractChange[] {
  if (before.maxLength === after.maxLength) return [];
  const effect = `takes ${after.maxLength} characters instead of ${before.maxLength}`;
  const cut = (level: string) => characterCount(level) > after.maxLength && characterCount(level) <= before.maxLength;
  // Of a closed feature only its levels were ever taken.
  const breaking = before.closed ? (before.levels ?? []).some(cut) : after.maxLength < before.maxLength;
  return [{ feature, change: 'max-length', breaking, effect, remedy: breaking ? keepWide : null }];
}
