import type { Output } from '../output.js';
import { table } from './table.js';
import { state } from './words.js';

/** What each gate said, and why. */
export const gateTable = (
  output: Output,
  gates: readonly { name: string; outcome: string; reason?: unknown }[],
): string =>
  table(
    output,
    ['gate', 'verdict', 'because'],
    gates.map(({ name, outcome, reason }) => [
      name,
      state(output, outcome),
      typeof reason === 'string' ? reason : null,
    ]),
  );
