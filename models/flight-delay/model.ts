import { defineModel } from '../../domain/model-definition.js';

/** Minutes since midnight of a time written HHMM. */
const minutesOf = (column: string) => `(${column} // 100) * 60 + ${column} % 100`;

export default defineModel({
  name: 'flight-delay',
  description: 'Chance that a flight from New York arrives more than 15 minutes late, asked when it leaves.',
  owner: 'operations-research',
  contract: {
    entity: ['time_hour', 'carrier', 'flight'],
    eventTime: 'time_hour',
    label: {
      name: 'delayed',
      type: 'boolean',
      from: 'arr_delay > 15',
      description: 'arrived more than 15 minutes late',
    },
    features: {
      carrier: { type: 'string' },
      origin: { type: 'string', levels: ['EWR', 'JFK', 'LGA'], closed: true },
      dest: { type: 'string' },
      dow: {
        type: 'number',
        from: 'isodow(make_date(year, month, day)) - 1',
        min: 0,
        max: 6,
        description: 'ISO weekday, Monday is 0',
      },
      sched_dep_min: { type: 'number', from: minutesOf('sched_dep_time'), min: 0, max: 1440 },
      sched_arr_min: { type: 'number', from: minutesOf('sched_arr_time'), min: 0, max: 1440 },
      distance: { type: 'number', min: 1, max: 10_000, description: 'miles' },
      temp: { type: 'number', nullable: true, min: -60, max: 140, description: 'degrees Fahrenheit' },
      dewp: { type: 'number', nullable: true, min: -80, max: 110, description: 'degrees Fahrenheit' },
      humid: { type: 'number', nullable: true, min: 0, max: 100, description: 'percent' },
      wind_dir: { type: 'number', nullable: true, min: 0, max: 360, description: 'degrees' },
      wind_speed: {
        type: 'number',
        nullable: true,
        min: 0,
        max: 2000,
        description: 'miles an hour; the source holds one reading of 1048',
      },
      wind_gust: { type: 'number', nullable: true, min: 0, max: 2000, description: 'miles an hour' },
      precip: { type: 'number', nullable: true, min: 0, max: 20, description: 'inches an hour' },
      pressure: { type: 'number', nullable: true, min: 850, max: 1100, description: 'millibars' },
      visib: { type: 'number', nullable: true, min: 0, max: 100, description: 'miles' },
      plane_age: {
        type: 'number',
        nullable: true,
        from: '2013 - planes.year',
        min: -1,
        max: 100,
        description: 'years',
      },
      seats: { type: 'number', nullable: true, min: 1, max: 1000 },
      dep_delay: { type: 'number', min: -200, max: 3000, description: 'minutes, known when the flight leaves' },
    },
  },
  data: {
    tables: {
      flights: {
        columns: {
          year: 'integer',
          month: 'integer',
          day: 'integer',
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
          temp: 'number',
          dewp: 'number',
          humid: 'number',
          wind_dir: 'number',
          wind_speed: 'number',
          wind_gust: 'number',
          precip: 'number',
          pressure: 'number',
          visib: 'number',
        },
        key: ['origin', 'time_hour'],
      },
      planes: {
        partitioned: false,
        columns: { tailnum: 'string', year: 'integer', seats: 'integer' },
        key: ['tailnum'],
      },
    },
    base: 'flights',
    joins: [
      { table: 'weather', on: ['origin', 'time_hour'] },
      { table: 'planes', on: ['tailnum'] },
    ],
    window: { kind: 'expanding', from: '2013-01' },
    expectations: { volumeRatioMin: 0.6, volumeRatioMax: 1.6, nullShareRiseMaxPct: 25, labelRateChangeMaxPct: 15 },
  },
  training: {
    algorithm: 'lightgbm',
    parameters: { num_iterations: 200, num_leaves: 31, learning_rate: 0.1, min_data_in_leaf: 20, max_bin: 255 },
    seed: 42,
  },
  evaluation: {
    threshold: 'best-f1',
    slices: ['origin', 'carrier'],
    gates: [
      { name: 'ranks delays', metric: 'rocAuc', atLeast: 0.8 },
      { name: 'honest probabilities', metric: 'logLoss', atMost: 0.5 },
      { name: 'no airport left behind', metric: 'rocAuc', atLeast: 0.75, slice: 'origin', minRows: 500 },
      // One odd month in the training window costs up to 0.02 on the next; a person sees the difference before it is
      // promoted.
      { name: 'not much worse than champion', metric: 'logLoss', worseThanChampionByAtMost: 0.03 },
    ],
  },
  promotion: {
    environments: ['production'],
    approvals: { count: 1, roles: ['approver'] },
    remindAfterHours: 4,
    expireAfterHours: 24 * 7,
  },
  rollout: {
    strategy: 'canary',
    steps: [
      { sharePct: 5, minRequests: 300, minSeconds: 10 },
      { sharePct: 25, minRequests: 800, minSeconds: 10 },
      { sharePct: 100, minRequests: 500, minSeconds: 5 },
    ],
    judge: {
      metrics: [
        { metric: 'errorShare', marginPct: 2, harmPct: 10 },
        { metric: 'slowShare', limitMs: 100, marginPct: 5, harmPct: 20 },
        { metric: 'scoreDistance', margin: 0.3, harm: 0.6 },
      ],
    },
    lookEverySeconds: 3,
  },
  triggers: { schedules: [{ name: 'monthly', cron: '0 6 2 * *', timeZone: 'America/New_York' }] },
});
