import type { ScoredRows } from '../../domain/metrics/measurer.js';
import { renumbered } from '../../domain/metrics/measurer.js';
import type { Random } from '../../domain/statistics/random.js';
import { seededRandom } from '../../domain/statistics/random.js';
import type { InputColumn } from './model-session.js';

/** Some rows of a holdout as the model gets them, taken while it is read: each row by chance, or all rows of a group. */
export class RowSample {
  readonly columns: Record<string, InputColumn>[] = [];
  /** Their places in the holdout. */
  readonly rows: number[] = [];
  private read = 0;
  private readonly groups = new Map<string, boolean>();
  private readonly random: Random;

  /** @param share of the rows, 0 to 1 */
  constructor(
    private readonly share: number,
    seed: number,
  ) {
    this.random = seededRandom(seed);
  }

  add(columns: Record<string, InputColumn>, rows: number, groups: readonly string[]): void {
    const kept: number[] = [];
    for (let row = 0; row < rows; row += 1) if (this.takes(groups[row])) kept.push(row);
    this.columns.push(
      Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, pickRows(column, kept, rows)])),
    );
    for (const row of kept) this.rows.push(this.read + row);
    this.read += rows;
  }

  /** Labels and groups of the sample. */
  labelled({ labels, groups }: ScoredRows): Pick<ScoredRows, 'labels' | 'groups'> {
    return {
      labels: Float64Array.from(this.rows, (row) => labels[row] ?? Number.NaN),
      ...(groups && { groups: renumbered(this.rows.map((row) => groups[row] ?? 0)) }),
    };
  }

  private takes(group: string | undefined): boolean {
    if (group === undefined) return this.draw();
    const known = this.groups.get(group) ?? this.draw();
    this.groups.set(group, known);
    return known;
  }

  private draw(): boolean {
    return this.random.uint32() / 4_294_967_296 < this.share;
  }
}

/** The same rows in another order, or some of them. @param rows that the column holds, each of several values perhaps */
export function pickRows(column: InputColumn, chosen: readonly number[], rows: number): InputColumn {
  const width = rows === 0 ? 1 : column.length / rows;
  if (Array.isArray(column)) return chosen.flatMap((row) => column.slice(row * width, (row + 1) * width));
  if (column instanceof BigInt64Array) return picked(column, new BigInt64Array(chosen.length * width), chosen, width);
  if (column instanceof Uint8Array) return picked(column, new Uint8Array(chosen.length * width), chosen, width);
  return picked(column, new Float32Array(chosen.length * width), chosen, width);
}

function picked<Values extends { [place: number]: number | bigint }>(
  from: Values,
  to: Values,
  chosen: readonly number[],
  width: number,
): Values {
  for (let at = 0; at < chosen.length; at += 1)
    for (let place = 0; place < width; place += 1) to[at * width + place] = from[chosen[at]! * width + place]!;
  return to;
}

/** Columns of several batches, one after the other. */
export function joinedColumns(batches: readonly Record<string, InputColumn>[]): Record<string, InputColumn> {
  const names = Object.keys(batches[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, joined(batches.map((batch) => batch[name] ?? []))]));
}

function joined(parts: readonly InputColumn[]): InputColumn {
  const [first] = parts;
  if (first instanceof BigInt64Array)
    return BigInt64Array.from(parts.flatMap((part) => (part instanceof BigInt64Array ? [...part] : [])));
  if (first instanceof Uint8Array)
    return Uint8Array.from(parts.flatMap((part) => (part instanceof Uint8Array ? [...part] : [])));
  if (first instanceof Float32Array)
    return Float32Array.from(parts.flatMap((part) => (part instanceof Float32Array ? [...part] : [])));
  return parts.flatMap((part) => (Array.isArray(part) ? part : []));
}

/** Places from 0 in an order by chance (Fisher and Yates). */
export function permutation(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, place) => place);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
