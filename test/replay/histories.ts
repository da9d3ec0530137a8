import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';

type History = ReturnType<typeof proto.temporal.api.history.v1.History.fromObject>;

const here = path.dirname(fileURLToPath(import.meta.url));
export const historiesFolder = path.join(here, 'histories');

export interface Recording {
  file: string;
  scenario: string;
  /** The JSON of the protobuf message `History`. */
  json: string;
}

/** Every committed history: `<version>-<scenario>.json`, the version being that of the product that made it. */
export function recordings(): Recording[] {
  return readdirSync(historiesFolder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const scenario = /^\d+\.\d+\.\d+-(.+)\.json$/.exec(file)?.[1];
      if (scenario === undefined)
        throw new Error(`${file}: a recording is called <version>-<scenario>.json, for example 0.1.0-rollback.json`);
      return { file, scenario, json: readFileSync(path.join(historiesFolder, file), 'utf8') };
    });
}

/**
 * The history that a recording holds. The SDK's own `historyFromJSON` is not used: it throws "type must be a Type"
 * wherever a package manager installs more than one copy of protobufjs.
 */
export function historyOf(json: string): History {
  return proto.temporal.api.history.v1.History.fromObject(JSON.parse(json));
}
