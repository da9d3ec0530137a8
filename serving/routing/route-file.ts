import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { digestOf } from '../../domain/canonical-json.js';
import { readDefinition, type ModelDefinition } from '../../domain/model/model-definition.js';
import { formerVersionSchema, routeSchema, servedVersionSchema } from '../../domain/serving/route.js';
import type { RouteState } from '../control-plane/control-plane.js';
import { removeSpareFiles } from './spare-files.js';
import { writeDurableFile } from '../durable-file.js';

const routeStateSchema = z.object({
  storeId: z.string(),
  routes: z.array(routeSchema),
  versions: z.array(servedVersionSchema),
  former: z.array(formerVersionSchema).optional(),
});

/**
 * The last good routes and the definitions that they need, on the gateway's own disk: what it starts from when the
 * control plane is away.
 */
export class RouteFile {
  /** Definitions that the file of routes names: what a restart serves, and what callers of earlier routes may send. */
  private named: readonly string[] = [];

  constructor(private readonly home: string) {}

  /** Undefined when there is none, or none that can be read: the control plane will say. */
  async read(): Promise<RouteState | undefined> {
    const parsed = routeStateSchema.safeParse(await readJson(path.join(this.home, 'routes.json')));
    if (!parsed.success) return undefined;
    this.named = definitionsOf(parsed.data);
    return parsed.data;
  }

  async write(state: RouteState): Promise<void> {
    this.named = [...this.named, ...definitionsOf(state)];
    await writeDurableFile(path.join(this.home, 'routes.json'), JSON.stringify(state));
    this.named = definitionsOf(state);
  }

  /** The definition with this digest, from disk when it is there and unharmed, else from `fetch`, then kept. */
  async definition(sha256: string, fetch: (sha256: string) => Promise<ModelDefinition>): Promise<ModelDefinition> {
    const file = path.join(this.definitions, `${sha256}.json`);
    const kept = await readJson(file);
    if (kept !== undefined) {
      try {
        if (digestOf(kept) === sha256) return readDefinition(kept);
      } catch {
        // A damaged copy is fetched again.
      }
    }
    const definition = await fetch(sha256);
    await writeDurableFile(file, JSON.stringify(definition));
    return definition;
  }

  /** Removes the oldest definitions that neither a route on disk nor `loaded` needs, above the number that is kept. */
  prune(loaded: ReadonlySet<string>): Promise<void> {
    return removeSpareFiles(this.definitions, new Set([...loaded, ...this.named].map((sha256) => `${sha256}.json`)));
  }

  private get definitions(): string {
    return path.join(this.home, 'definitions');
  }
}

const definitionsOf = ({ versions, former = [] }: RouteState) =>
  [...versions, ...former].map(({ definitionSha256 }) => definitionSha256);

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}
