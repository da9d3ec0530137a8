import { contractChangeSchema, type ContractChange } from './contract-change.js';
import { z } from 'zod';
import type { AcceptedFeature, Contract, Feature } from './contract.js';
import { mayBeAbsent } from './contract.js';
import type { JsonValue } from './feature/feature-value.js';
import { changesOfValues } from './value-compatibility.js';

export const compatibilityVerdicts = ['compatible', 'compatible-with-defaults', 'breaking'] as const;
export type CompatibilityVerdict = (typeof compatibilityVerdicts)[number];

export const contractCompatibilitySchema = z.strictObject({
  verdict: z.enum(compatibilityVerdicts),
  changes: z.array(contractChangeSchema),
});
export type ContractCompatibility = z.infer<typeof contractCompatibilitySchema>;

/**
 * Whether a challenger answers every request that an environment answers today. What callers may send is the
 * environment's promise: all that each admitted contract takes, the champion's first; features of before that are still
 * in their time of grace are part of it.
 * @param today `YYYY-MM-DD`, UTC.
 */
export function compareContracts({
  admitted,
  challenger,
  today,
}: {
  admitted: readonly Contract[];
  challenger: Contract;
  today: string;
}): ContractCompatibility {
  const changes = new Map<string, ContractChange>();
  for (const change of admitted.flatMap((contract) => changesBetween(contract, challenger, today)))
    changes.set(`${change.feature} ${change.change} ${change.effect}`, change);
  const all = [...changes.values()].toSorted((left, right) => Number(right.breaking) - Number(left.breaking));
  const verdict = all.some((change) => change.breaking)
    ? 'breaking'
    : all.some((change) => change.default !== undefined)
      ? 'compatible-with-defaults'
      : 'compatible';
  return { verdict, changes: all };
}

/** `breaking: …`, `compatible with these defaults: colour = red, size missing` or `compatible`. */
export function compatibilityText({ verdict, changes }: ContractCompatibility): string {
  if (verdict === 'breaking')
    return `breaking: ${changes
      .filter((change) => change.breaking)
      .map(({ feature, effect }) => `${feature} ${effect}`)
      .join('; ')}`;
  if (verdict === 'compatible') return 'compatible';
  const defaults = changes.flatMap((change) =>
    change.default === undefined
      ? []
      : [`${change.feature} ${change.default === null ? 'missing' : `= ${inWords(change.default)}`}`],
  );
  return `compatible with these defaults: ${defaults.join(', ')}`;
}

const expandFirst =
  'Change it in three steps: first a version that takes both ways, then let callers move, then a version ' +
  'that takes only the new one.';

function changesBetween(before: Contract, after: Contract, today: string): ContractChange[] {
  const graceOver = ({ until }: AcceptedFeature) => until < today;
  const promised = Object.entries(before.accepts ?? {}).filter(([, feature]) => !graceOver(feature));
  const promisedNames = new Set([...Object.keys(before.features), ...promised.map(([name]) => name)]);
  const addedNames = Object.keys(after.features).filter((name) => !promisedNames.has(name));
  return [
    ...Object.entries(before.features).flatMap(([name, feature]) => {
      const now = after.features[name];
      if (now !== undefined) return changesOfFeature(name, feature, now);
      return droppedFeature(name, feature, after, addedNames, graceOver);
    }),
    ...promised.flatMap(([name, feature]) => changesOfGrace(name, feature, after)),
    ...addedNames.flatMap((name) => addedFeature(name, after.features[name])),
    ...changesOfOutput(before, after),
  ];
}

function changesOfFeature(name: string, before: Feature, after: Feature): ContractChange[] {
  const changes = changesOfValues(name, before, after);
  if (mayBeAbsent(before) && !mayBeAbsent(after)) {
    return [
      ...changes,
      {
        ...{ feature: name, change: 'required', breaking: true },
        effect: 'must be sent now, and callers may leave it out',
        remedy: `Keep its default, or nullable. ${expandFirst}`,
      },
    ];
  }
  const [was, is] = [absenceValue(before), absenceValue(after)];
  if (was !== undefined && is !== undefined && JSON.stringify(was) !== JSON.stringify(is))
    changes.push({
      ...{ feature: name, change: 'default', breaking: false, default: is },
      effect: `is ${inWords(is)} instead of ${inWords(was)} where callers leave it out`,
      remedy: null,
    });
  return changes;
}

/** What the model sees where the feature is not sent, null for a missing value; undefined where it must be sent. */
const absenceValue = (feature: Feature): JsonValue | undefined =>
  feature.default ?? (feature.nullable ? null : undefined);
const inWords = (absent: JsonValue): string =>
  absent === null ? 'missing' : Array.isArray(absent) ? shortened(JSON.stringify(absent)) : String(absent);
const shortened = (text: string): string => (text.length <= 60 ? text : `${text.slice(0, 60)}…`);

function droppedFeature(
  name: string,
  before: Feature,
  after: Contract,
  added: readonly string[],
  graceOver: (feature: AcceptedFeature) => boolean,
): ContractChange[] {
  const accepted = after.accepts?.[name];
  const heir = added.find((other) => looksRenamed(name, before, other, after.features[other]));
  const change = heir === undefined ? 'dropped' : 'renamed?';
  const renamed = heir === undefined ? '' : `, perhaps renamed to ${heir}`;
  if (accepted !== undefined && !graceOver(accepted)) {
    const effect = `is taken and ignored until ${accepted.until}${renamed}`;
    return [
      {
        feature: name,
        change,
        breaking: false,
        effect,
        remedy: `Tell callers to stop sending it by ${accepted.until}.`,
      },
    ];
  }
  const grace = `contract.accepts.${name} = { type: '${before.type}', until: 'YYYY-MM-DD' }`;
  return [
    {
      ...{ feature: name, change, breaking: true },
      effect:
        accepted === undefined
          ? `is not taken any more, and callers send it${renamed}`
          : `is dropped with a time of grace that is over already, since ${accepted.until}`,
      remedy:
        accepted === undefined
          ? `Add ${grace}: it is taken and ignored until ` +
            `then.${heir === undefined ? '' : ` Give ${heir} a default, or make it nullable, until callers send it.`}`
          : `Give contract.accepts.${name}.until a day to come, by which callers stop sending it.`,
    },
  ];
}

/** The same values under another name, or the old column read under a new one. */
function looksRenamed(name: string, before: Feature, otherName: string, other: Feature | undefined): boolean {
  if (other === undefined || other.type !== before.type) return false;
  if ((other.from ?? otherName) === (before.from ?? name)) return true;
  return before.type === 'string' && other.type === 'string'
    ? before.levels !== undefined && JSON.stringify(before.levels) === JSON.stringify(other.levels)
    : before.type === 'number' &&
        other.type === 'number' &&
        before.min !== undefined &&
        before.min === other.min &&
        before.max === other.max;
}

/** A feature of before that is still in its time of grace: callers may send it, or not. */
function changesOfGrace(name: string, before: AcceptedFeature, after: Contract): ContractChange[] {
  const again = after.features[name];
  if (again !== undefined) {
    const changes = changesOfValues(name, before, again);
    const absent = absenceValue(again);
    if (absent !== undefined)
      changes.push({
        ...{ feature: name, change: 'added', breaking: false, default: absent },
        effect: `is used again; it is ${inWords(absent)} where callers do not send it`,
        remedy: null,
      });
    else
      changes.push({
        ...{ feature: name, change: 'added', breaking: true },
        effect: 'must be sent again, and callers were told to stop',
        remedy: 'Give it a default, or make it nullable.',
      });
    return changes;
  }
  const accepted = after.accepts?.[name];
  if (accepted !== undefined && accepted.until >= before.until) return [];
  return [
    {
      ...{ feature: name, change: 'grace-period', breaking: true },
      effect:
        `was promised to be taken until ${before.until}, now ` +
        `${accepted === undefined ? 'no longer' : `only until ${accepted.until}`}`,
      remedy: `Keep contract.accepts.${name} with until: '${before.until}' or later; leave it out after that day.`,
    },
  ];
}

function addedFeature(name: string, feature: Feature | undefined): ContractChange[] {
  if (feature === undefined) return [];
  const absent = absenceValue(feature);
  if (absent !== undefined)
    return [
      {
        ...{ feature: name, change: 'added', breaking: false, default: absent },
        effect: `is new; it is ${inWords(absent)} where callers do not send it`,
        remedy: null,
      },
    ];
  return [
    {
      ...{ feature: name, change: 'added', breaking: true },
      effect: 'is new and must be sent, and callers do not',
      remedy: `Give it a default, or make it nullable, until callers send it. ${expandFirst}`,
    },
  ];
}

function changesOfOutput(before: Contract, after: Contract): ContractChange[] {
  const meaning = ({ label, output, group }: Contract) => {
    const { description: _text, from: _sql, ...rest } = label ?? {};
    // The range of a label is a rule for the data: answers may lie outside it before and after.
    return JSON.stringify([{ ...rest, min: undefined, max: undefined }, output, group]);
  };
  const classesOf = (contract: Contract) =>
    JSON.stringify(contract.label !== undefined && 'classes' in contract.label ? contract.label.classes : undefined);
  const named = classesOf(before) !== classesOf(after);
  const called = (contract: Contract) => {
    if (contract.label === undefined) return 'an output';
    const { name, type } = contract.label;
    return `${name} (${type}${named ? ` of ${classesOf(contract) ?? 'any class'}` : ''})`;
  };
  if (meaning(before) !== meaning(after))
    return [
      {
        ...{ feature: 'label', change: 'output', breaking: true },
        effect: `means ${called(after)} now; callers read it as ${called(before)}`,
        remedy: 'Make it a model of its own, or let the policy consent to a cut-over: promotion.breakingContract.',
      },
    ];
  const source = ({ label }: Contract) => label?.from ?? label?.name;
  if (source(before) === source(after)) return [];
  return [
    {
      ...{ feature: 'label', change: 'output', breaking: false },
      effect: `is computed otherwise: ${source(after)} instead of ${source(before)}`,
      remedy: 'Tell callers if its meaning changes for them.',
    },
  ];
}
