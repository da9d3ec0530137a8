import { chmod, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Cadence } from '../../domain/cadence.js';
import { PerdureError } from '../../domain/errors.js';
import { parseModelDefinition } from '../../domain/model/parse-definition.js';
import { taskOf } from '../../domain/tasks/task-of.js';
import { columnNamed, definitionFromTable, taskOfLabel, type WantedModel } from './definition-from-table.js';
import { exampleTables } from './example-table.js';
import { readmeOf } from './readme.js';
import { sourceText } from './source-text.js';
import { openTable, type TableFile } from './table-file.js';
import type { WrittenModel } from './written-model.js';

/** How each cadence writes a time, in SQL. */
const partForms: Record<Exclude<Cadence, 'static'>, string> = {
  hour: '%Y-%m-%dT%H',
  day: '%Y-%m-%d',
  week: '%G-W%V',
  month: '%Y-%m',
};

/** As many rows as show the form of a request. */
const rowsShown = 3;

/**
 * Writes `models/NAME`: a definition that trains on a table, that table as it is put into the lake, and on demand a
 * trainer. The folder appears whole.
 * @param file the table; an invented one where there is none
 * @throws PerdureError `input/invalid`, `state/conflict` where the folder is there already.
 */
export async function writeModel(
  projectRoot: string,
  asked: Omit<WantedModel, 'table'> & { table?: string | undefined; file?: string | undefined },
): Promise<WrittenModel> {
  const folder = path.join(projectRoot, 'models', asked.name);
  if (existsSync(folder))
    throw new PerdureError('state/conflict', `${folder} is there already. Choose another name, or remove it first.`);
  const wanted = { ...asked, table: asked.table ?? 'examples', ...(asked.file === undefined && exampleOf(asked)) };
  const given = await openTable(wanted.source ?? { file: asked.file ?? '' }, {
    addKey: wanted.key.length === 0,
    addTime: wanted.time === undefined,
    taken: reservedNames,
  });
  await mkdir(path.dirname(folder), { recursive: true });
  const building = await mkdtemp(path.join(path.dirname(folder), '.init-'));
  try {
    const written = await writeFiles(building, projectRoot, wanted, given);
    await chmod(building, 0o755);
    await rename(building, folder);
    return { ...written, folder: path.relative(process.cwd(), folder) || folder };
  } finally {
    given.close();
    await rm(building, { recursive: true, force: true });
  }
}

const exampleOf = ({ task = 'binary' }: Pick<WantedModel, 'task'>) => {
  const { query, key, label, group } = exampleTables[task];
  return { source: { query }, key, label, group, task };
};

/** No feature may have the name of an output of any task. */
const reservedNames = ['label', 'probabilities', 'value', 'quantiles', 'score', 'embedding'];

async function writeFiles(
  folder: string,
  projectRoot: string,
  wanted: WantedModel,
  given: TableFile,
): Promise<Omit<WrittenModel, 'folder'>> {
  const { columns } = given;
  const label = wanted.label === undefined ? undefined : columnNamed(columns, wanted.label, '--label');
  const shares = label === undefined ? [] : await given.shares(label.name, 1001);
  const task = wanted.task ?? taskOfLabel(label, shares);
  if (label === undefined && taskOf({ task }).labelTypes.length > 0)
    throw new PerdureError('input/invalid', `--label: name the column that a model of the task ${task} predicts.`);
  if (task === 'embedding' && !wanted.program)
    throw new PerdureError(
      'input/invalid',
      '--task embedding: the built-in trainers learn from labels, and there are none. Add --trainer python.',
    );
  const time = wanted.time === undefined ? undefined : columnNamed(columns, wanted.time, '--time').name;
  const cadence = wanted.cadence ?? (time === undefined ? 'static' : 'month');
  if (cadence !== 'static' && time === undefined)
    throw new PerdureError('input/invalid', `--cadence ${cadence}: name the column of each row's time with --time.`);
  const split = cadence === 'static' || time === undefined ? undefined : `strftime("${time}", '${partForms[cadence]}')`;
  const files = await given.write(path.join(folder, 'data'), wanted.table, split);
  const { definition: input, leftOut } = definitionFromTable(
    { ...wanted, task, cadence },
    given,
    shares,
    files.map(({ part }) => part),
  );
  const { contract } = parseModelDefinition(input);
  const features = Object.keys(contract.features);
  const put = (name: string, text: string) => writeFile(path.join(folder, name), text);
  await put(
    'model.ts',
    `import { defineModel } from '../../domain/model-definition.js';\n\n` +
      `export default defineModel(${sourceText(input)});\n`,
  );
  await put('data/.gitignore', '*\n');
  const shown = await given.firstRows(features, rowsShown);
  await put('rows.json', `${JSON.stringify(shown, null, 2)}\n`);
  if (wanted.program)
    await cp(path.join(projectRoot, 'trainers', 'template'), path.join(folder, 'trainer'), trainerCopy);
  const written = {
    task,
    table: wanted.table,
    files: files.map(({ file, part }) => ({ file: path.relative(folder, file), part })),
    rows: given.rows,
    features: features.length,
    leftOut: [...given.leftOut, ...leftOut],
  };
  await put('README.md', readmeOf(wanted, written));
  return written;
}

const trainerCopy = { recursive: true, filter: (source: string) => !source.includes('__pycache__') };
