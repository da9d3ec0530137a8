import { defineModel } from '../../domain/model-definition.js';

/** Minutes since midnight of a time written HHMM. */
const minutesOf = (column: string) => `(${column} // 100) * 60 + ${column} % 100`;

export default defineModel({
  name: 'arrival-delay',
  description:
    'Minutes by which a flight from New York arrives late, with an interval that holds four of five; asked ' +
    'when it leaves.',
  owner: 'operations-research',
  task: 'regression',
  contract: {
    entity: ['time_hour', 'carrier', 'flight'],
    eventTime: 'time_hour',
    label: { name: 'arr_delay', type: 'number', min: -200, max: 3000, description: 'minutes, negative when early' },
    output: { intervalPct: 80 },
    features: {
      carrier: { type: 'string' },
      origin: { type: 'string', levels: ['EWR', 'JFK', 'LGA'], closed: true },
      dest: { type: 'string' },
      sched_dep_min: { type: 'number', from: minutesOf('sched_dep_time'), min: 0, max: 1440 },
      sched_arr_min: { type: 'number', from: minutesOf('sched_arr_time'), min: 0, max: 1440 },
      distance: { type: 'number', min: 1, max: 10_000, description: 'miles' },
      dep_delay: { type: 'number', min: -200, max: 3000, description: 'minutes, known when the flight leaves' },
      visib: { type: 'number', nullable: true, min: 0, max: 100, description: 'miles' },
      wind_speed: { type: 'number', nullable: true, min: 0, max: 2000, description: 'miles an hour' },
      precip: { type: 'number', nullable: true, min: 0, max: 20, description: 'inches an hour' },
      seats: { type: 'number', nullable: true, min: 1, max: 1000 },
    },
  },
  data: {
    cadence: 'day',
    timeZone: 'America/New_York',
    tables: {
      flights: {
        columns: {
          sched_dep_time: 'integer',
          sched_arr_time: 'integer',
          dep_delay: 'number',
          arr_delay: 'number',
          carrier: 'string',
          flight: 'integer',
          tailnum: 'string',
          origin: 'string',
          dest: 'string',
          distance: 'number',
          time_hour: 'timestamp',
        },
        key: ['time_hour', 'carrier', 'flight'],
      },
      weather: {
        columns: {
          origin: 'string',
          time_hour: 'timestamp',
          wind_speed: 'number',
          precip: 'number',
          visib: 'number',
        },
        key: ['origin', 'time_hour'],
      },
      planes: { partitioned: false, columns: { tailnum: 'string', seats: 'integer' }, key: ['tailnum'] },
    },
    base: 'flights',
    joins: [
      { table: 'weather', on: ['origin', 'time_hour'] },
      { table: 'planes', on: ['tailnum'] },
    ],
    window: { kind: 'sliding', from: '2013-01-01', partitions: 14 },
    split: { kind: 'last', partitions: 4 },
    // Weekends have fewer flights, and on a stormy day half of them have no weather reading.
    expectations: { volumeRatioMin: 0.4, volumeRatioMax: 2.5, nullShareRiseMaxPct: 60 },
  },
  training: {
    algorithm: 'lightgbm',
    parameters: { num_iterations: 150, num_leaves: 31, learning_rate: 0.05, min_data_in_leaf: 50 },
  },
  evaluation: {
    slices: ['origin'],
    gates: [
      { name: 'near enough', metric: 'mae', atMost: 20 },
      { name: 'better than guessing the mean', metric: 'r2', atLeast: 0.5 },
      { name: 'four of five inside', metric: 'intervalCoverage', atLeast: 0.6 },
      { name: 'not much worse than champion', metric: 'mae', worseThanChampionByAtMost: 2 },
    ],
  },
  promotion: { environments: ['production'], approvals: { count: 1, roles: ['approver'] } },
  rollout: {
    strategy: 'canary',
    steps: [
      { sharePct: 25, minRequests: 300, minSeconds: 5 },
      { sharePct: 100, minRequests: 300, minSeconds: 5 },
    ],
    lookEverySeconds: 2,
  },
});
