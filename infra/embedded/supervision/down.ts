import { loadPerdureConfig, type PerdureConfig } from '../../../perdure.config.js';
import { endProcess } from '../processes/end-process.js';
import { endLeftovers } from '../processes/run-files.js';
import { isServerName } from '../stack.js';
import { removeStackFile } from '../stack-file.js';
import { currentSupervisor } from './supervisor-lock.js';

export interface DownResult {
  /** Pid of the supervisor that was asked to stop the stack, if one lived. */
  supervisorPid: number | undefined;
  /** Processes of this home that had no supervisor any more, or were still there after it. */
  leftovers: string[];
}

/** Longer than the slowest component's grace, both tiers together. */
const supervisorGraceMs = 60_000;

/** Stops the stack of a home, whoever started it and whatever became of its files; does nothing when nothing runs. */
export async function down(config: PerdureConfig = loadPerdureConfig()): Promise<DownResult> {
  const supervisor = currentSupervisor(config.home);
  if (supervisor) await endProcess(supervisor, 'SIGTERM', supervisorGraceMs);
  const leftovers = await endLeftovers(config.home, isServerName);
  removeStackFile(config.home);
  return { supervisorPid: supervisor?.pid, leftovers };
}
