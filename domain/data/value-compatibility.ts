import type { AcceptedFeature, Feature, FeatureOf, Item } from './feature/feature.js';
import { typeInWords } from './feature/in-words.js';
import { int64Max, int64Min } from './feature/int64.js';
import type { ContractChange } from './contract-change.js';
import { characterCount } from '../text/plain-text.js';

const keepWide = 'Keep accepting what it accepted until callers have moved.';

/** How the values that a feature takes have changed, absence left out. */
export function changesOfValues(feature: string, before: Feature | AcceptedFeature, after: Feature): ContractChange[] {
  if (typeInWords(before) !== typeInWords(after)) {
    const effect = `is a ${typeInWords(after)} now; callers send a ${typeInWords(before)}`;
    return [
      {
        ...{ feature, change: 'retyped', breaking: true, effect },
        remedy: `Give the new type a name of its own, with a default, and put ${feature} into contract.accepts.`,
      },
    ];
  }
  const values =
    before.type === 'list' && after.type === 'list'
      ? [...changesOfItems(feature, before.of, after.of), ...changesOfCount(feature, before, after)]
      : changesOfItems(feature, before, after);
  return [...changesOfNull(feature, before.nullable, after.nullable), ...values];
}

type Values = Feature | AcceptedFeature | Item;

/** Of values of one type: what stands alone, or in a list. */
function changesOfItems(feature: string, before: Values, after: Values): ContractChange[] {
  if (before.type === 'number' && after.type === 'number') return changesOfRange(feature, before, after);
  if (before.type === 'integer' && after.type === 'integer') return changesOfIntegers(feature, before, after);
  if (before.type === 'string' && after.type === 'string') return changesOfText(feature, before, after);
  if (before.type === 'text' && after.type === 'text')
    return changesOfLength(feature, { ...before, closed: false }, { ...after, closed: false });
  return [];
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

/** What a string takes; a text has no levels. */
type TextRules = Pick<FeatureOf<'string'>, 'closed' | 'maxLength'> & { levels?: string[] | undefined };

function changesOfRange(
  feature: string,
  before: Pick<FeatureOf<'number'>, 'min' | 'max'>,
  after: Pick<FeatureOf<'number'>, 'min' | 'max'>,
): ContractChange[] {
  // As the gateway compares: in FP32.
  const range = ({ min = -Infinity, max = Infinity }: Pick<FeatureOf<'number'>, 'min' | 'max'>) =>
    [Math.fround(min), Math.fround(max)] as const;
  const text = ({ min, max }: Pick<FeatureOf<'number'>, 'min' | 'max'>) => `${min ?? '-∞'} … ${max ?? '∞'}`;
  return changesOfBounds(feature, range(before), range(after), `takes ${text(after)} instead of ${text(before)}`);
}

type Integers = Pick<FeatureOf<'integer'>, 'min' | 'max'>;

function changesOfIntegers(feature: string, before: Integers, after: Integers): ContractChange[] {
  const range = ({ min, max }: Integers) => [BigInt(min ?? int64Min), BigInt(max ?? int64Max)] as const;
  const text = ({ min, max }: Integers) => `${min ?? '-∞'} … ${max ?? '∞'}`;
  return changesOfBounds(feature, range(before), range(after), `takes ${text(after)} instead of ${text(before)}`);
}

function changesOfBounds<T extends number | bigint>(
  feature: string,
  [minBefore, maxBefore]: readonly [T, T],
  [minAfter, maxAfter]: readonly [T, T],
  effect: string,
): ContractChange[] {
  if (minAfter > minBefore || maxAfter < maxBefore)
    return [{ feature, change: 'narrowed', breaking: true, effect, remedy: keepWide }];
  if (minAfter < minBefore || maxAfter > maxBefore)
    return [{ feature, change: 'widened', breaking: false, effect, remedy: null }];
  return [];
}

type Count = Pick<FeatureOf<'list'>, 'maxLength'>;

function changesOfCount(feature: string, before: Count, after: Count): ContractChange[] {
  if (before.maxLength === after.maxLength) return [];
  const effect = `takes ${after.maxLength} values instead of ${before.maxLength}`;
  const breaking = after.maxLength < before.maxLength;
  return [{ feature, change: 'max-length', breaking, effect, remedy: breaking ? keepWide : null }];
}

function changesOfText(feature: string, before: TextRules, after: TextRules): ContractChange[] {
  return [...changesOfLevels(feature, before, after), ...changesOfLength(feature, before, after)];
}

function changesOfLevels(feature: string, before: TextRules, after: TextRules): ContractChange[] {
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

function changesOfLength(feature: string, before: TextRules, after: TextRules): ContractChange[] {
  if (before.maxLength === after.maxLength) return [];
  const effect = `takes ${after.maxLength} characters instead of ${before.maxLength}`;
  const cut = (level: string) => characterCount(level) > after.maxLength && characterCount(level) <= before.maxLength;
  // Of a closed feature only its levels were ever taken.
  const breaking = before.closed ? (before.levels ?? []).some(cut) : after.maxLength < before.maxLength;
  return [{ feature, change: 'max-length', breaking, effect, remedy: breaking ? keepWide : null }];
}
