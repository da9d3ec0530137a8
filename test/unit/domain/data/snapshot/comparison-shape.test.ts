import { expect, it } from 'vitest';
import { contractSchema } from '../../../../../domain/data/contract.js';
import { dataPolicySchema } from '../../../../../domain/data/data-policy.js';
import { comparisonShape, readsAlike } from '../../../../../domain/data/snapshot/comparison-shape.js';

const columns = { id: 'string', left_at: 'timestamp', booked_at: 'timestamp', origin: 'string', late: 'boolean' };

/** A model whose rows are as of its event time, with these joins. */
function modelOf(eventTime: string, joins: unknown[]) {
  const data = dataPolicySchema.parse({
    tables: { trips: { columns }, weather: { columns: { origin: 'string', hour: 'timestamp', temp: 'number' } } },
    base: 'trips',
    joins,
    window: { kind: 'expanding', from: '2024-01' },
  });
  const contract = contractSchema.parse({
    entity: ['id'],
    eventTime,
    label: { name: 'late', type: 'boolean' },
    features: { temp: { type: 'number', nullable: true } },
  });
  return { name: 'trips', contract, data };
}
const asOf = (more: object = {}) => ({ table: 'weather', on: ['origin'], asOf: { time: 'hour', ...more } });

it('an as-of join keeps the moment of the definition that declares it, whatever the event time of the other is', () => {
  const [byDeparture, byBooking] = [modelOf('left_at', [asOf()]), modelOf('booked_at', [asOf()])];
  expect(readsAlike(byDeparture, byBooking)).toBe(false);
  expect(readsAlike(byDeparture, modelOf('booked_at', [asOf({ leftTime: 'left_at' })]))).toBe(true);
  expect(comparisonShape(byDeparture, modelOf('booked_at', []))).toMatchObject({
    contract: { eventTime: 'booked_at' },
    data: { joins: [asOf({ leftTime: 'left_at' })] },
  });
});

it('two joins of one name that differ in anything cannot be compared, and two names of one table can', () => {
  const champion = modelOf('left_at', [asOf({ toleranceHours: 1 })]);
  expect(comparisonShape(champion, modelOf('left_at', [asOf({ toleranceHours: 2 })]))).toEqual({
    impossible: expect.stringMatching(/^the champion joins weather on origin, asOf .*"toleranceHours":1.*this version/),
  });
  const other = modelOf('left_at', [{ ...asOf({ toleranceHours: 2 }), as: 'here' }]);
  expect(comparisonShape(champion, other)).toMatchObject({ data: { joins: [{ table: 'weather' }, { as: 'here' }] } });
});
