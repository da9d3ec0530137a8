import { valueText, type FeatureValue } from '../../domain/data/feature/feature-value.js';
import type { LoggedType } from '../../domain/serving/logged-features.js';
import { blockLine, shadowPredictionId, type BlockHead } from './logged-block.js';
import { loggedScores } from './logged-answers.js';
import type { ServedPrediction } from './served-prediction.js';
import type { OpenLine } from './spool.js';

/** A block of single rows has so many at most: what a line that is torn may cost. A larger request is a block alone. */
const rowsMax = 256;
/** Characters of texts and ids, so that long texts do not make a line that waits as a whole for the disk. */
const charactersMax = 64 * 1024;
/** Scores, likewise: what is answered may be long vectors. */
const scoresMax = 64 * 1024;

/**
 * A block that still gets rows, on the thread that answers everybody: values are copied, nothing is written as text.
 */
export class BlockBuilder implements OpenLine {
  rows = 0;
  private readonly head: BlockHead;
  /** Places of the features in a request's columns. */
  private readonly numberFeatures: number[];
  private readonly textFeatures: number[];
  private readonly ids: string[] = [];
  private readonly counts: number[] = [];
  private readonly requestIds: (string | null)[] = [];
  private readonly at: number[] = [];
  private readonly keyHashes: (string | null)[] = [];
  private readonly latenciesMs: number[] = [];
  private readonly numbers: Float32Array<ArrayBuffer>;
  private readonly codes: Int32Array<ArrayBuffer>;
  private readonly texts: string[] = [];
  private readonly codeOf = new Map<string, number>();
  private readonly scores: Float32Array<ArrayBuffer>;
  /** Which of a row's scores are logged. */
  private readonly logged: { from: number; width: number };
  private readonly positives: Uint8Array;
  private readonly capacity: number;
  private characters = 0;

  constructor(first: ServedPrediction) {
    const { environment, model, version, epoch, role, cause, features, answer } = first;
    const answers = answer.shape.logged;
    const suffix = role === 'shadow' ? shadowPredictionId('', version) : '';
    this.head = { environment, model, version, epoch, role, cause: cause ?? null, suffix, features, answers };
    const places = (isNumber: boolean) =>
      features.flatMap(({ type }, place) => ((type === 'number') === isNumber ? [place] : []));
    this.numberFeatures = places(true);
    this.textFeatures = places(false);
    this.logged = loggedScores(answers);
    const { width } = this.logged;
    const capacity = Math.max(Math.min(rowsMax, Math.ceil(scoresMax / width)), first.rows.count);
    this.capacity = capacity;
    this.numbers = new Float32Array(capacity * this.numberFeatures.length);
    this.codes = new Int32Array(capacity * this.textFeatures.length);
    this.scores = new Float32Array(capacity * width);
    this.positives = new Uint8Array(answer.shape.task.predictedColumn === 'label' ? capacity : 0);
  }

  /** Whether rows of this kind belong here. */
  isFor({ version, epoch, role, cause, features, answer }: ServedPrediction): boolean {
    const { head } = this;
    return (
      head.version === version &&
      head.epoch === epoch &&
      head.role === role &&
      head.cause === (cause ?? null) &&
      head.features === features &&
      head.answers === answer.shape.logged
    );
  }

  hasRoomFor(rows: number): boolean {
    return this.rows + rows <= this.capacity;
  }

  add({ predictionId, requestId, at, keyDigest, latencyMs, rows: { count, columns }, answer }: ServedPrediction): void {
    this.ids.push(predictionId);
    this.counts.push(count);
    this.requestIds.push(requestId ?? null);
    this.at.push(at.getTime());
    this.keyHashes.push(keyDigest ?? null);
    this.latenciesMs.push(Math.round(latencyMs * 1000) / 1000);
    this.characters += predictionId.length + (requestId?.length ?? 0);
    const { numberFeatures, textFeatures, numbers, codes, capacity } = this;
    for (let index = 0; index < numberFeatures.length; index += 1) {
      const column = columns[numberFeatures[index] ?? 0] ?? [];
      const first = index * capacity + this.rows;
      for (let row = 0; row < count; row += 1) {
        const value = column[row];
        numbers[first + row] = typeof value === 'number' ? value : NaN;
      }
    }
    for (let index = 0; index < textFeatures.length; index += 1) {
      const place = textFeatures[index] ?? 0;
      const column = columns[place] ?? [];
      const type = this.head.features[place]?.type ?? 'string';
      const first = index * capacity + this.rows;
      for (let row = 0; row < count; row += 1) codes[first + row] = this.codeFor(column[row], type);
    }
    const { scores, positives, logged } = this;
    for (let row = 0; row < count; row += 1)
      for (let at = 0; at < logged.width; at += 1)
        scores[(this.rows + row) * logged.width + at] = answer.values[row * answer.width + logged.from + at] ?? NaN;
    if (positives.length > 0)
      for (let row = 0; row < count; row += 1) positives[this.rows + row] = answer.places?.[row] ?? 0;
    this.rows += count;
  }

  get isFull(): boolean {
    return this.rows >= Math.min(rowsMax, this.capacity) || this.characters >= charactersMax;
  }

  /** Call it once, at the end. */
  line(): string {
    const { head, ids, counts, requestIds, at, keyHashes, latenciesMs, texts, rows } = this;
    return blockLine({
      ...{ ...head, ids: ids.join(' '), counts, requestIds, at, keyHashes, latenciesMs, texts },
      ...{ numbers: this.filled(this.numbers), codes: this.filled(this.codes) },
      ...{
        rows,
        scores: this.scores.subarray(0, rows * this.logged.width),
        positives: this.positives.subarray(0, rows),
      },
    });
  }

  /** The columns without the room that is left in them; in the same array, for it gets no more rows. */
  private filled<Columns extends Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(columns: Columns): Columns {
    const { capacity } = this;
    for (let column = 1; column * capacity < columns.length; column += 1)
      columns.copyWithin(column * this.rows, column * capacity, column * capacity + this.rows);
    return columns.subarray(0, (columns.length / capacity) * this.rows) as Columns;
  }

  private codeFor(value: FeatureValue | undefined, type: LoggedType): number {
    if (value === undefined || value === '' || value === null) return 0;
    const text = typeof value === 'string' ? value : valueText(type, value);
    let code = this.codeOf.get(text);
    if (code === undefined) {
      code = this.texts.push(text);
      this.codeOf.set(text, code);
      this.characters += text.length;
    }
    return code;
  }
}
