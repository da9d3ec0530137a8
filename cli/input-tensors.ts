import type { GatewayModel, InputTensor } from '../client/http/gateway-client.js';
import { PerdureError } from '../domain/errors.js';
import type { Row } from './read-rows.js';

/**
 * One tensor per input of the model, in its order; columns that the model does not know are left out.
 * @param firstRow number of the first row in the file, from 0, for messages
 * @throws PerdureError `input/invalid` that names the column and the row.
 */
export function inputTensors(model: GatewayModel, rows: readonly Row[], firstRow: number): InputTensor[] {
  return model.inputs.map(({ name, datatype }) => ({
    name,
    datatype,
    shape: [rows.length, 1],
    data: rows.map((row, index) => {
      if (!(name in row))
        throw invalid(
          name,
          firstRow + index,
          `is missing. The columns of ${model.name}: ${model.inputs.map((input) => input.name).join(', ')}`,
        );
      return tensorValue(row[name], datatype, name, firstRow + index);
    }),
  }));
}

function tensorValue(value: unknown, datatype: string, column: string, row: number): string | number | null {
  if (value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))) return null;
  if (datatype === 'BYTES') {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  } else {
    if (typeof value === 'number') return value;
    if (typeof value === 'boolean') return value ? 1 : 0;
  }
  throw invalid(column, row, `is ${JSON.stringify(value)}, where ${datatype === 'BYTES' ? 'a text' : 'a number'} is expected`);
}

const invalid = (column: string, row: number, problem: string) =>
  new PerdureError('input/invalid', `Row ${row + 1}: ${column} ${problem}.`, { row: row + 1, column });
