import type { Command } from 'commander';
import type { OutputValue } from '../../client/http/gateway-client.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { table } from '../format/table.js';
import { inputTensors } from '../rows/input-tensors.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';
import { requireModelName } from '../parse/version-ref.js';
import { holdsTexts, readRows } from '../rows/read-rows.js';

const batchRows = 500;
/** Rows that people see; a file may hold a month. */
const shownRows = 20;

/** One row of the answer; labels name its prediction's id. In JSON the outputs stand beside the rest. */
interface PredictedRow {
  row: number;
  outputs: Record<string, OutputValue>;
  modelVersion: string | null;
  predictionId: string | null;
  epoch: number | null;
}

/** Numbers of a list that people see. */
const shownNumbers = 10;
const headOf: Record<string, string> = { probabilities: 'P', quantiles: 'Q' };
function cell(name: string, value: string | number): string | number {
  if (name === 'probabilities') return Number(value).toFixed(4);
  return typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(5) : value;
}

function outputHeads(outputs: Record<string, OutputValue>): string[] {
  return Object.entries(outputs).flatMap(([name, value]) =>
    Array.isArray(value) ? value.slice(0, shownNumbers).map((_, at) => `${headOf[name] ?? name}(${at})`) : [name],
  );
}

function outputCells(outputs: Record<string, OutputValue>): (string | number)[] {
  return Object.entries(outputs).flatMap(([name, value]) =>
    (Array.isArray(value) ? value.slice(0, shownNumbers) : [value]).map((one) => cell(name, one)),
  );
}

/** `predict`: asks the gateway about the rows of a file. */
export function registerPredict(program: Command, context: CliContext): void {
  program
    .command('predict <model>')
    .description(
      'send the rows of a file to a gateway: JSON (an array of objects), CSV or Parquet, a column per feature',
    )
    .requiredOption('--file <file>', 'rows.json, rows.csv or rows.parquet')
    .option('--all', `print every row (default: the first ${shownRows})`)
    .addOption(environmentOption())
    .addHelpText(
      'after',
      examples('predict flight-delay --file rows.json', 'predict flight-delay --file april.parquet --json'),
    )
    .action(async (modelText: string, { file, env, all }: EnvironmentChoice & { file: string; all?: true }) => {
      const { output } = context;
      const model = requireModelName(modelText);
      const gateway = await context.gateway(env);
      const metadata = await gateway.model(model);
      const predicted: PredictedRow[] = [];
      for await (const rows of readRows(file, batchRows)) {
        context.signal.throwIfAborted();
        const answer = await gateway.infer(
          model,
          inputTensors(metadata, rows, { firstRow: predicted.length, texts: holdsTexts(file) }),
        );
        const first = predicted.length;
        rows.forEach((_, index) =>
          predicted.push({
            row: first + index,
            outputs: answer.rows[index] ?? {},
            modelVersion: answer.modelVersion,
            predictionId: answer.predictionIds[index] ?? null,
            epoch: answer.epoch,
          }),
        );
        if (predicted.length % (20 * batchRows) === 0) output.progress(`${predicted.length} rows`);
      }
      const told = predicted.map(({ row, outputs, ...rest }) => ({ row, ...outputs, ...rest }));
      output.result({ model, environment: env, rows: told }, () => {
        if (predicted.length === 0) return `${file} holds no rows.`;
        const head = [
          'row',
          ...predicted.slice(0, 1).flatMap(({ outputs }) => outputHeads(outputs)),
          'version',
          'prediction',
        ];
        const line = (one: PredictedRow) => [
          one.row + 1,
          ...outputCells(one.outputs),
          one.modelVersion,
          one.predictionId,
        ];
        const shown = all ? predicted : predicted.slice(0, shownRows);
        const rest = predicted.length - shown.length;
        return [
          table(output, head, shown.map(line)),
          ...(rest > 0
            ? [`… and ${rest} more rows, ${predicted.length} in total. --all prints them; --json is for programs.`]
            : []),
        ].join('\n\n');
      });
    });
}
