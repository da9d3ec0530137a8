import { describe, expect, test } from 'vitest';
import { columnNamed, definitionFromTable, taskOfLabel } from '../../../../cli/init/definition-from-table.js';
import type { ColumnProfile } from '../../../../cli/init/table-file.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';

const column = (name: string, change: Partial<ColumnProfile> = {}): ColumnProfile => ({
  ...{ name, original: name, type: 'number', nulls: 0, distinct: 90, longest: 0 },
  ...change,
});
const label = column('y');
const wanted = { name: 'm', owner: 'ada', key: [], table: 'examples', program: false };

describe('the task that a label can only mean', () => {
  test.each([
    [column('y', { type: 'boolean' }), [], 'binary'],
    [
      column('y', { type: 'integer', distinct: 2 }),
      [
        { value: 0, share: 0.5 },
        { value: 1, share: 0.5 },
      ],
      'binary',
    ],
    [column('y', { type: 'string', distinct: 3 }), [], 'multiclass'],
    [column('y', { type: 'integer', distinct: 10 }), [], 'multiclass'],
    [column('y', { type: 'integer', distinct: 400 }), [], 'regression'],
    [column('y', { type: 'number', distinct: 3 }), [], 'regression'],
    [undefined, [], 'embedding'],
  ] as const)('%#', (of, shares, task) => {
    expect(taskOfLabel(of, shares)).toBe(task);
  });
});

describe('a definition made of a table', () => {
  const table = [
    column('row_id', { type: 'integer' }),
    column('as_of', { type: 'timestamp', distinct: 1 }),
    column('area', { nulls: 3 }),
    column('name', { type: 'string', distinct: 90 }),
    column('seen', { type: 'timestamp' }),
    column('open', { type: 'boolean', distinct: 2 }),
    label,
  ];
  const columns = { columns: table, rows: 90 };

  test('is valid, with a feature for each column that has a meaning, and says what was left out', () => {
    const asked = { ...wanted, label: 'y', task: 'regression', cadence: 'static' } as const;
    const { definition, leftOut } = definitionFromTable(asked, columns, [], ['']);
    const { contract, data } = parseModelDefinition(definition);
    expect(Object.keys(contract.features)).toEqual(['area', 'open']);
    expect(contract.features).toMatchObject({ area: { type: 'number', nullable: true }, open: { type: 'boolean' } });
    expect(contract.entity).toEqual(['row_id']);
    expect(data.split).toMatchObject({ kind: 'share' });
    expect(leftOut).toEqual([expect.stringMatching(/^name: /), expect.stringMatching(/^seen: /)]);
  });

  test('keeps the rows of a group on one side, and begins its window with the first partition', () => {
    const ranked = { ...wanted, label: 'y', group: 'area', task: 'ranking' } as const;
    const grouped = definitionFromTable({ ...ranked, cadence: 'static' }, columns, [], ['']).definition;
    expect(parseModelDefinition(grouped).data.split).toMatchObject({ by: 'group', group: 'area' });
    const monthly = { ...wanted, label: 'y', time: 'seen', task: 'regression', cadence: 'month' } as const;
    const timed = parseModelDefinition(definitionFromTable(monthly, columns, [], ['2024-01', '2024-02']).definition);
    expect(timed.data.window).toEqual({ kind: 'expanding', from: '2024-01' });
  });

  test('asks which value is the yes where nobody can know, and names the nearest column', () => {
    const texts = column('y', { type: 'string', distinct: 2 });
    const asked = { ...wanted, label: 'y', task: 'binary', cadence: 'static' } as const;
    const shares = [{ value: 'yes', share: 0.6 }];
    const made = () => definitionFromTable(asked, { rows: 90, columns: [...table.slice(0, -1), texts] }, shares, ['']);
    expect(made).toThrow(/--positive which of its values is the yes/);
    const said = { ...asked, positive: "it's" };
    const { definition } = definitionFromTable(said, { rows: 90, columns: [...table.slice(0, -1), texts] }, shares, [
      '',
    ]);
    expect(parseModelDefinition(definition).contract.label).toMatchObject({ from: "y = 'it''s'" });
    expect(() => columnNamed(table, 'aera', '--label')).toThrow(/--label aera: .* the nearest is area/);
  });
});
