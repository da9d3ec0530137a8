import type { WantedModel } from './definition-from-table.js';
import type { WrittenModel } from './written-model.js';

/** How to go on from here, in commands that can be copied. */
export function readmeOf(
  { name, program }: Pick<WantedModel, 'name' | 'program'>,
  { task, table, files, rows, features, leftOut }: Omit<WrittenModel, 'folder'>,
): string {
  return [
    `# ${name}`,
    '',
    `A model of the task ${task}: ${features} features, ${rows} rows. \`model.ts\` says what it is; \`data/\` ` +
      'holds its table as it is put into the lake.' +
      (program ? ' `trainer/` is what trains it: `trainer/perdure_trainer/model.py` is yours to change.' : ''),
    '',
    ...(leftOut.length > 0 ? ['No features, since nobody said what they mean:', ''] : []),
    ...leftOut.map((line) => `- ${line}`),
    ...(leftOut.length > 0 ? [''] : []),
    '```bash',
    ...nextCommands({ name, table, files }),
    '```',
    '',
    'What each field of `model.ts` means: [model-definition.md](../../docs/model-definition.md).',
    '',
  ].join('\n');
}

/** From a written folder to an answer. */
export function nextCommands({ name, table, files }: { name: string } & Pick<WrittenModel, 'table' | 'files'>) {
  return [
    'npx perdure up --detach',
    'npx perdure apply',
    ...files.map(
      ({ file, part }) =>
        `npx perdure data put ${name} ${table} models/${name}/${file}${part ? ` --partition ${part}` : ''}`,
    ),
    `npx perdure train ${name} --wait`,
    `npx perdure predict ${name} --file models/${name}/rows.json`,
  ];
}
