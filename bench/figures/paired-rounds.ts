import type { LoadGenerator } from '../load/load-generator.js';
import type { LoadResult } from '../load/load-messages.js';
import { usageOfTree } from '../process-usage.js';

/** One of the two that are compared. */
export interface Side {
  port: number;
  processId: number | undefined;
  requests: readonly Uint8Array[];
  grpcMethod?: string;
}

export interface PairedRounds {
  load: LoadGenerator;
  reference: Side;
  measured: Side;
  connections: number;
  rounds: number;
  seconds: number;
  /** Taken before each stretch of load. */
  settle: () => Promise<void>;
}

export interface SideRounds {
  results: LoadResult[];
  /** Microseconds of processor time a request, by program, over all rounds. */
  cpuUs: Record<string, number>;
}

/**
 * Loads the two in turn, A B, then B A, and so on: what else runs on the machine meets both alike, and neither always
 * comes first. A stretch of warming goes before, and is not counted.
 */
export async function pairedRounds(options: PairedRounds): Promise<{ reference: SideRounds; measured: SideRounds }> {
  const { load, connections, rounds, seconds, settle } = options;
  const sides = { reference: emptySide(), measured: emptySide() };
  const stretch = (name: 'reference' | 'measured', durationMs: number) =>
    load.run({ ...target(options[name]), connections, durationMs });
  for (const name of ['reference', 'measured'] as const) await stretch(name, Math.min(3_000, seconds * 1000));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? (['reference', 'measured'] as const) : (['measured', 'reference'] as const)) {
      await settle();
      const before = cpuOf(options[name].processId);
      const result = await stretch(name, seconds * 1000);
      addUsage(sides[name].cpuSeconds, before, cpuOf(options[name].processId));
      sides[name].results.push(result);
    }
  }
  return { reference: rounded(sides.reference), measured: rounded(sides.measured) };
}

const target = ({ port, requests, grpcMethod }: Side) => ({
  port,
  requests,
  ...(grpcMethod !== undefined && { grpcMethod }),
});

interface OpenSide {
  results: LoadResult[];
  cpuSeconds: Map<string, number>;
}

const emptySide = (): OpenSide => ({ results: [], cpuSeconds: new Map() });

type Usage = Map<number, { name: string; cpuSeconds: number }>;

function cpuOf(processId: number | undefined): Usage {
  return new Map(processId === undefined ? [] : usageOfTree(processId).map((one) => [one.processId, one]));
}

function addUsage(sums: Map<string, number>, before: Usage, after: Usage): void {
  for (const [processId, { name, cpuSeconds }] of after) {
    sums.set(name, (sums.get(name) ?? 0) + cpuSeconds - (before.get(processId)?.cpuSeconds ?? 0));
  }
}

function rounded({ results, cpuSeconds }: OpenSide): SideRounds {
  const answered = results.reduce((sum, result) => sum + result.answered, 0);
  const cpuUs = Object.fromEntries(
    [...cpuSeconds]
      .filter(([, seconds]) => seconds > 0)
      .map(([name, seconds]) => [name, Math.round((seconds / answered) * 1e7) / 10]),
  );
  return { results, cpuUs };
}
