import { contractSchema, type Contract } from '../../../domain/data/contract.js';
import type { z } from 'zod';
import type { Fault, Row } from './tiny-model.js';

type ContractInput = z.input<typeof contractSchema>;
type Features = ContractInput['features'];

/** Some callers, who send the same rows whatever is in force. */
export interface Callers {
  row: Row;
  /** Which versions take their requests while both are named by the route; the other's contract refuses them. */
  takenBy: readonly (1 | 2)[];
  /** Whether version 2 takes their requests once version 1 is gone from the route; by default as before. */
  takenBySecondAlone?: boolean;
}

/** Version 2 under another contract than version 1's. */
export interface ContractChange {
  name: string;
  challenger: Contract;
  old: Callers;
  new: Callers;
  fault?: Fault;
}

const base: Features = {
  amount: { type: 'number', min: 0, max: 100 },
  colour: { type: 'string', levels: ['red', 'blue'], closed: true },
  note: { type: 'string', nullable: true },
};
const contractOf = (features: Features, more: Partial<ContractInput> = {}): Contract =>
  contractSchema.parse({
    entity: ['id'],
    eventTime: 'at',
    label: { name: 'bought', type: 'boolean' },
    features,
    ...more,
  });
const without = (name: string): Features => Object.fromEntries(Object.entries(base).filter(([one]) => one !== name));

export const championContract = contractOf(base);

const row: Row = { amount: 50, colour: 'red', note: 'n' };
const rowWithout = (name: string, more: Row = {}): Row => ({
  ...Object.fromEntries(Object.entries(row).filter(([one]) => one !== name)),
  ...more,
});
const both = [1, 2] as const;
const later = '2099-12-31';
const long = { type: 'string', nullable: true, until: '2020-01-31' } as const;

const change = (name: string, challenger: Contract, old: Callers['takenBy'], next: Callers): ContractChange => ({
  ...{ name, challenger, new: next },
  old: { row, takenBy: old },
});

/**
 * The ways in which a contract may change. What is said here of who takes what is what the matrix holds gateways to.
 */
export const contractChanges: readonly ContractChange[] = [
  change(
    'a feature is added that may be missing',
    contractOf({ ...base, size: { type: 'number', nullable: true } }),
    both,
    {
      row: { ...row, size: 20 },
      takenBy: both,
    },
  ),
  change('a feature is added with a default', contractOf({ ...base, size: { type: 'number', default: 70 } }), both, {
    row: { ...row, size: 20 },
    takenBy: both,
  }),
  change('a feature is added that must be sent', contractOf({ ...base, size: { type: 'number' } }), [1], {
    row: { ...row, size: 20 },
    takenBy: both,
  }),
  change(
    'a feature is dropped and accepted',
    contractOf(without('note'), { accepts: { note: { ...long, until: later } } }),
    both,
    {
      row: rowWithout('note'),
      takenBy: both,
    },
  ),
  change(
    'a feature is dropped and accepted until a day that is past',
    contractOf(without('note'), { accepts: { note: long } }),
    both,
    {
      row: rowWithout('note'),
      takenBy: both,
    },
  ),
  {
    ...change('a feature is dropped without a word', contractOf(without('note')), both, {
      row: rowWithout('note'),
      takenBy: both,
    }),
    old: { row, takenBy: both, takenBySecondAlone: false },
  },
  change(
    'a feature is dropped that version 1 cannot do without',
    contractOf(without('amount'), { accepts: { amount: { type: 'number', until: later } } }),
    both,
    { row: rowWithout('amount'), takenBy: [2] },
  ),
  change(
    'a feature is renamed, and callers send both names',
    contractOf(
      { ...without('colour'), color: { type: 'string', nullable: true } },
      { accepts: { colour: { type: 'string', until: later } } },
    ),
    both,
    { row: { ...row, color: 'blue' }, takenBy: both },
  ),
  change(
    'a feature is renamed, and callers send the new name',
    contractOf(
      { ...without('colour'), color: { type: 'string', nullable: true } },
      { accepts: { colour: { type: 'string', until: later } } },
    ),
    both,
    { row: rowWithout('colour', { color: 'blue' }), takenBy: [2] },
  ),
  change('a range is widened', contractOf({ ...base, amount: { type: 'number', min: 0, max: 1000 } }), both, {
    row: { ...row, amount: 150 },
    takenBy: [2],
  }),
  change('a range is narrowed', contractOf({ ...base, amount: { type: 'number', min: 0, max: 10 } }), [1], {
    row: { ...row, amount: 5 },
    takenBy: both,
  }),
  change('a number becomes a string', contractOf({ ...base, amount: { type: 'string' } }), [1], {
    row: { ...row, amount: 'red' },
    takenBy: [2],
  }),
  change(
    'features and levels are written in another order',
    contractOf({
      note: base['note']!,
      colour: { type: 'string', levels: ['blue', 'red'], closed: true },
      amount: base['amount']!,
    }),
    both,
    { row: { note: 'n', colour: 'blue', amount: 50 }, takenBy: both },
  ),
  change(
    'a feature may be missing now',
    contractOf({ ...base, amount: { type: 'number', min: 0, max: 100, nullable: true } }),
    both,
    {
      row: { ...row, amount: null },
      takenBy: [2],
    },
  ),
  {
    ...change('a feature may be missing no more', contractOf({ ...base, note: { type: 'string' } }), [1], {
      row,
      takenBy: both,
    }),
    old: { row: { ...row, note: null }, takenBy: [1] },
  },
  change(
    'a level is added',
    contractOf({ ...base, colour: { type: 'string', levels: ['red', 'blue', 'green'], closed: true } }),
    both,
    {
      row: { ...row, colour: 'green' },
      takenBy: [2],
    },
  ),
  change(
    'levels are closed',
    contractOf({ ...base, note: { type: 'string', nullable: true, levels: ['other'], closed: true } }),
    [1],
    {
      row: { ...row, note: 'other' },
      takenBy: both,
    },
  ),
  {
    ...change(
      'the label means something else',
      contractOf(base, { label: { name: 'returned', type: 'boolean' } }),
      [1],
      {
        row,
        takenBy: [1],
      },
    ),
    old: { row, takenBy: [1], takenBySecondAlone: true },
    new: { row, takenBy: [1], takenBySecondAlone: true },
  },
  {
    ...change('some answers are no probabilities', contractOf(base), [1], {
      row: { ...row, amount: 5 },
      takenBy: both,
    }),
    fault: { notANumberAbove: 20 },
  },
];
