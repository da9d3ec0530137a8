import { z } from 'zod';
import type { GatewayModel, OutcomeLabel } from '../../client/http/gateway-client.js';
import { PerdureError } from '../../domain/errors.js';
import { plainTextSchema } from '../../domain/text/plain-text.js';
import { holdsTexts, type Row } from './read-rows.js';

/** What a model's labels are written as: names of classes, or numbers, true and false. */
export type LabelKind = 'text' | 'number';

const numberError = { error: 'must be true, false or a number' };
const textError = { error: 'must be the name of a class, a text' };
const typedLabel = {
  text: z.string(textError).min(1, textError),
  number: z.union([z.boolean(), z.number()], numberError),
} as const;
/** As spreadsheets write it, too. */
const writtenLabel = {
  text: typedLabel.text,
  number: z
    .string(numberError)
    .regex(/^(true|false|[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)$/i, numberError)
    .transform((text) => (/^[tf]/i.test(text) ? /^t/i.test(text) : Number(text))),
} as const;

/** By what the model answers with: only classes may be texts. */
export const labelKindOf = ({ outputs }: Pick<GatewayModel, 'outputs'>): LabelKind =>
  outputs.some(({ name, datatype }) => name === 'label' && datatype === 'BYTES') ? 'text' : 'number';

const labelRow = z.object({
  prediction_id: plainTextSchema.min(1).max(200),
  observed_at: z.iso.datetime({
    offset: true,
    error: 'must be an ISO 8601 time with its zone, for example 2013-04-01T12:00:00Z',
  }),
});

/**
 * A label as it stands in a row of a file: of a CSV file all values are texts, and the label's is read; nothing else is
 * turned into another value.
 * @throws PerdureError `input/invalid` that names the row and the column.
 */
export function labelOfRow(row: Row, file: string, index: number, kind: LabelKind): OutcomeLabel {
  const label = (holdsTexts(file) ? writtenLabel : typedLabel)[kind];
  const parsed = labelRow.extend({ label }).safeParse(row);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new PerdureError(
    'input/invalid',
    `${file}, row ${index + 1}: ${problems}. Rows before it were sent; sending them again changes nothing.`,
    { row: index + 1 },
  );
}
