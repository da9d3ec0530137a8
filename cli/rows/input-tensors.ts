import type { GatewayModel, InputTensor } from '../../client/http/gateway-client.js';
import { PerdureError } from '../../domain/errors.js';
import { textProblem } from '../../domain/text/plain-text.js';
import type { Row } from './read-rows.js';

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * One tensor per input of the model, in its order; columns that the model does not know are left out. A value must be
 * of the input's type, as it must be in training and at the gateway: nothing is turned into another.
 * @param from `firstRow` is the number of the first row in the file, from 0, for messages; `texts` says that all values
 * are texts, and those of numbers are to be read
 * @throws PerdureError `input/invalid` that names the column and the row.
 */
export function inputTensors(
  model: GatewayModel,
  rows: readonly Row[],
  { firstRow, texts }: { firstRow: number; texts: boolean },
): InputTensor[] {
  return model.inputs.map(({ name, datatype }) => ({
    name,
    datatype,
    shape: [rows.length, 1],
    data: rows.map((row, index) => {
      const refuse = (problem: string) =>
        new PerdureError('input/invalid', `Row ${firstRow + index + 1}: ${name} ${problem}.`, {
          row: firstRow + index + 1,
          column: name,
        });
      if (!Object.hasOwn(row, name))
        throw refuse(`is missing. The columns of ${model.name}: ${model.inputs.map((input) => input.name).join(', ')}`);
      const value = row[name];
      if (value === null || value === undefined) return null;
      return datatype === 'BYTES' ? textOf(value, refuse) : numberOf(value, texts, refuse);
    }),
  }));
}

type Refuse = (problem: string) => PerdureError;

function textOf(value: unknown, refuse: Refuse): string {
  if (typeof value !== 'string') {
    const remedy = typeof value === 'number' || typeof value === 'boolean' ? `: write "${value}"` : '';
    throw refuse(`is ${JSON.stringify(value)}; expected a string${remedy}`);
  }
  const problem = textProblem(value);
  if (problem !== undefined) throw refuse(problem);
  return value;
}

function numberOf(value: unknown, texts: boolean, refuse: Refuse): number | null {
  const isRead = texts && typeof value === 'string' && decimal.test(value.trim());
  const number = isRead ? Number(value) : value;
  if (typeof number !== 'number') {
    const remedy = texts
      ? ': write it in digits, with a decimal point and optionally an exponent, or leave the cell empty for null'
      : '';
    throw refuse(`is ${JSON.stringify(value)}; expected a number${remedy}`);
  }
  if (Number.isNaN(number)) return null;
  if (!Number.isFinite(number)) throw refuse(`is ${isRead ? value : number}, which is infinite or out of range`);
  return number;
}
