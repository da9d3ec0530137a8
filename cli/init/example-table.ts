import type { TaskName } from '../../domain/tasks/task.js';

/** What an example's columns are for. */
export interface ExampleTable {
  query: string;
  key: string[];
  label?: string;
  group?: string;
}

/** Between 0 and 1, by the row's number: the same for ever. */
const chance = (salt: number) => `((range * 7919 + ${salt}) * 104729 % 1000003) / 1000003.0`;

const flats = `SELECT range + 1 AS flat, round(30 + 120 * ${chance(1)}, 1) AS area, 1 + range % 5 AS rooms,
  CAST(1900 + floor(120 * ${chance(2)}) AS BIGINT) AS built, CASE range % 7 WHEN 0 THEN NULL WHEN 1 THEN 'north'
  WHEN 2 THEN 'south' ELSE 'centre' END AS district, ${chance(3)} - 0.5 AS noise,
  range % 3 = 0 AS balcony FROM range(1200)`;
const features = 'flat, area, rooms, built, district, balcony';
const price = `1500 * area + 20000 * rooms + CASE district WHEN 'centre' THEN 60000 ELSE 0 END`;

/** Twelve hundred invented flats: small data that a model of the task can learn, to begin with. */
export const exampleTables: Record<TaskName, ExampleTable> = {
  binary: {
    query: `SELECT ${features}, ${price} + 200000 * noise > 220000 AS expensive FROM (${flats})`,
    key: ['flat'],
    label: 'expensive',
  },
  multiclass: {
    query: `SELECT ${features}, CASE WHEN area + 20 * noise < 60 THEN 'studio' WHEN area + 20 * noise < 110 THEN 'flat'
      ELSE 'loft' END AS kind FROM (${flats})`,
    key: ['flat'],
    label: 'kind',
  },
  regression: {
    query: `SELECT ${features}, round(${price} + 40000 * noise) AS price FROM (${flats})`,
    key: ['flat'],
    label: 'price',
  },
  ranking: {
    query: `SELECT flat, flat % 60 AS visitor, area, rooms, built, district, balcony,
      CAST(floor(least(3, greatest(0, area / 40 + 2 * noise))) AS BIGINT) AS interest FROM (${flats})`,
    key: ['visitor', 'flat'],
    label: 'interest',
    group: 'visitor',
  },
  embedding: { query: `SELECT ${features} FROM (${flats})`, key: ['flat'] },
};
