import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import { shapeForChampion } from '../../../adapters/data-engine/snapshot/shape-for-champion.js';
import { comparisonShape, readsAlike } from '../../../domain/data/snapshot/comparison-shape.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { labelOf } from '../../../domain/tasks/task-of.js';
import { openSalesBench, salesDefinition, type SalesBench } from './sales-fixture.js';

let bench: SalesBench;
beforeAll(async () => {
  bench = await openSalesBench();
});
afterAll(async () => {
  await bench.close();
});

type Definition = typeof salesDefinition;
const { contract, data } = salesDefinition;
const withFeatures = (features: Record<string, unknown>, label: object = labelOf(contract)): Definition => ({
  ...salesDefinition,
  contract: contractSchema.parse({ ...contract, label, features }),
});

/** What the challenger's rows look like to the champion, read back; or why that is impossible. */
async function championsView(champion: Definition, challenger: Definition, files: Record<string, string[]> = {}) {
  const { file } = await bench.validate(files, { definition: challenger });
  const definition = comparisonShape(champion, challenger);
  if ('impossible' in definition) return definition;
  const tableFiles = {
    sales: [`${bench.folder}/sales.parquet`],
    weather: [`${bench.folder}/weather.parquet`],
    stores: [`${bench.folder}/stores.parquet`],
    ...files,
  };
  const asked = {
    definition,
    champion: champion.contract,
    challenger: challenger.contract,
    partition: '2024-02',
    tableFiles,
  };
  const made = await shapeForChampion({
    ...asked,
    rows: file?.path ?? '',
    workDir: `${bench.folder}/champion`,
    openSession: openDuckSession,
  });
  if ('impossible' in made) return made;
  const read = await bench.connection.runAndReadAll(`FROM read_parquet('${made.path}')`);
  return { rows: read.getRowObjectsJson(), sha256: made.sha256 };
}

describe('the rows of a challenger with the features of a champion', () => {
  it('are the same rows in the same order, with values as the champion was trained on, whatever the two name and join', async () => {
    // The challenger joins no table, knows none of the champion's features, and makes a feature of the entity.
    const plain = { ...data, joins: [] };
    const challenger: Definition = {
      ...withFeatures({ id: { type: 'number' }, tag: { type: 'string', from: 'upper(product)' } }),
      data: plain,
    };
    const champion = withFeatures({
      age: contract.features['age'],
      id: { type: 'string', from: 'CAST(id AS VARCHAR)' },
      rain: contract.features['rain'],
    });
    const found = await championsView(champion, challenger);
    const own = await bench.validate({}, { definition: champion, workDir: `${bench.folder}/own` });
    const expected = await bench.connection.runAndReadAll(
      `SELECT age, id, rain, returned FROM read_parquet('${own.file?.path}')`,
    );
    expect(found).toMatchObject({ rows: expected.getRowObjectsJson() });
    expect(await championsView(champion, challenger)).toEqual(found);
  });

  it('take the label of the challenger', async () => {
    const challenger = withFeatures({ size: contract.features['size'] }, { ...contract.label, from: 'amount > 50' });
    const found = await championsView(withFeatures({ amount: contract.features['amount'] }), challenger);
    expect('rows' in found && found.rows.every(({ amount, returned }) => Number(amount) > 50 === returned)).toBe(true);
  });

  it('need no column that the champion declared and does not read', async () => {
    const sales = await bench.write('fewer', 'SELECT * EXCLUDE (product) FROM sales');
    const { product: _gone, ...columns } = data.tables['sales']!.columns;
    const challenger = {
      ...withFeatures({ size: contract.features['size'] }),
      data: { ...data, tables: { ...data.tables, sales: { ...data.tables['sales']!, columns } } },
    };
    expect(
      await championsView(withFeatures({ amount: contract.features['amount'] }), challenger, { sales: [sales] }),
    ).toHaveProperty('rows');
    expect(
      await championsView(withFeatures({ product: contract.features['product'] }), challenger, { sales: [sales] }),
    ).toEqual({
      impossible: expect.stringMatching(/^2024-02: .*sales has no column product/),
    });
  });

  it('are not made for another label or another base, and not needed where the same is read', () => {
    const other = withFeatures(
      { size: contract.features['size'] },
      { name: 'kept', type: 'boolean', from: 'returned_on IS NULL' },
    );
    expect(comparisonShape(salesDefinition, other)).toEqual({
      impossible: 'the champion predicts returned, this version kept',
    });
    const onWeather = { ...other, contract: salesDefinition.contract, data: { ...data, base: 'weather', joins: [] } };
    expect(comparisonShape(salesDefinition, onWeather)).toEqual({
      impossible: expect.stringContaining('rows are those of sales'),
    });
    const { amount, ...rest } = contract.features;
    expect(readsAlike(withFeatures(rest), salesDefinition)).toBe(true);
    expect(readsAlike(salesDefinition, withFeatures(rest))).toBe(false);
    expect(readsAlike(salesDefinition, withFeatures({ ...rest, amount: { ...amount, from: 'amount / 100' } }))).toBe(
      false,
    );
  });
});
