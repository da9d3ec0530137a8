import { BlockBuilder } from './block-builder.js';
import type { OpenLine, Spool } from './spool.js';
import type { ServedPrediction } from './served-prediction.js';

/** Writes the rows to the spool, the features as they were served: into the block that is open for their kind. */
export function logPrediction(spool: Spool, served: ServedPrediction): void {
  const { model, rows } = served;
  const isFor = (line: OpenLine): line is BlockBuilder => line instanceof BlockBuilder && line.isFor(served);
  let block = spool.openLine(model, isFor);
  if (block?.hasRoomFor(rows.count) === false) {
    spool.finish(model, block);
    block = undefined;
  }
  if (block === undefined) spool.begin(model, (block = new BlockBuilder(served)));
  block.add(served);
  if (block.isFull) spool.finish(model, block);
}
