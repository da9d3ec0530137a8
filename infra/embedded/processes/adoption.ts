import { createHash } from 'node:crypto';
import type { ComponentSpec } from './component.js';

/** What changes nothing in a component. */
const personal: ReadonlySet<string> = new Set(['PERDURE_ACTOR', 'PERDURE_DEBUG']);

/**
 * The words under which a running process is taken over by the next supervisor: the same stack, program and arguments,
 * and for our own processes the same settings. The gateway's program is named by its content, so that another state of
 * its sources is another program.
 */
export function adoptable(spec: ComponentSpec, stackId: string): ComponentSpec {
  const { file, args, cwd, env } = spec.command();
  const settings = Object.entries(env).filter(
    ([name]) => /^(PERDURE|AWS|TEMPORAL|NODE)_/.test(name) && !personal.has(name),
  );
  const words = [
    stackId,
    spec.version ?? '',
    file,
    args,
    cwd,
    spec.kind === 'node' ? settings.toSorted(([a], [b]) => (a < b ? -1 : 1)) : [],
  ];
  return { ...spec, adoptAs: createHash('sha256').update(JSON.stringify(words)).digest('hex') };
}
