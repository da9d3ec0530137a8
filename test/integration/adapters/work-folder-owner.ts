import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeWorkFolder } from '../../../adapters/work-folder.js';

/** Works in a folder of `argv[2]` until it is killed. */
const folder = await makeWorkFolder(process.argv[2] ?? '', 'train');
writeFileSync(path.join(folder, 'model.onnx'), Buffer.alloc(1_000_000));
process.send?.(folder);
setInterval(() => undefined, 1_000);
