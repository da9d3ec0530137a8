import type { GatewayModel, InputTensor } from '../../client/http/gateway-client.js';
import { PerdureError } from '../../domain/errors.js';
import { sentValue, type Refuse } from './input-values.js';
import type { Row } from './read-rows.js';

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
  return model.inputs.map(({ name, datatype, shape: [, width = 1] }) => {
    const data = rows.map((row, index) => {
      const refuse: Refuse = (problem) =>
        new PerdureError('input/invalid', `Row ${firstRow + index + 1}: ${name} ${problem}.`, {
          row: firstRow + index + 1,
          column: name,
        });
      if (!Object.hasOwn(row, name))
        throw refuse(`is missing. The columns of ${model.name}: ${model.inputs.map((input) => input.name).join(', ')}`);
      return valueOf(row[name], width, refuse);
    });
    return { name, datatype, shape: [rows.length, width], data };

    function valueOf(value: unknown, most: number, refuse: Refuse): InputTensor['data'][number] {
      const list = typeof value === 'string' && texts && most !== 1 ? listIn(value) : value;
      if (!Array.isArray(list)) return sentValue(datatype, list, texts, refuse);
      if (most === 1) throw refuse(`is a list; expected one value`);
      return list.map((one: unknown) => sentValue(datatype, one, false, refuse));
    }
  });
}

/** A cell of a CSV file that holds several values has them as JSON. */
function listIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
