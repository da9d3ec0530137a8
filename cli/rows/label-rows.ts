import { z } from 'zod';
import type { OutcomeLabel } from '../../client/http/gateway-client.js';
import { PerdureError } from '../../domain/errors.js';
import { plainTextSchema } from '../../domain/text/plain-text.js';
import { holdsTexts, type Row } from './read-rows.js';

const labelError = { error: 'must be true, false, 0 or 1' };
const typedLabel = z
  .union([z.boolean(), z.literal([0, 1])], labelError)
  .transform((value) => value === true || value === 1);
/** As spreadsheets write it, too. */
const writtenLabel = z
  .string(labelError)
  .regex(/^(true|false|0|1)$/i, labelError)
  .transform((text) => /^(true|1)$/i.test(text));

const labelRow = z.object({
  prediction_id: plainTextSchema.min(1).max(200),
  label: typedLabel,
  observed_at: z.iso.datetime({
    offset: true,
    error: 'must be an ISO 8601 time with its zone, for example 2013-04-01T12:00:00Z',
  }),
});
const writtenRow = labelRow.extend({ label: writtenLabel });

/**
 * A label as it stands in a row of a file: of a CSV file all values are texts, and the label's is read; nothing else is
 * turned into another value.
 * @throws PerdureError `input/invalid` that names the row and the column.
 */
export function labelOfRow(row: Row, file: string, index: number): OutcomeLabel {
  const parsed = (holdsTexts(file) ? writtenRow : labelRow).safeParse(row);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new PerdureError(
    'input/invalid',
    `${file}, row ${index + 1}: ${problems}. Rows before it were sent; sending them again changes nothing.`,
    { row: index + 1 },
  );
}
