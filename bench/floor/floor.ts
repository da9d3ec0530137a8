import { startProgram } from '../child-program.js';
import type { FromFloor, ToFloor } from './floor-messages.js';

export interface Floor {
  port: number;
  processId: number | undefined;
  stop: () => Promise<void>;
}

export async function startFloor(modelFile: string): Promise<Floor> {
  const program = startProgram<ToFloor, FromFloor>(new URL('./floor-process.ts', import.meta.url), 'the floor');
  await program.next((message) => (message.kind === 'ready' ? true : undefined));
  const listening = program.next((message) => (message.kind === 'listening' ? message.port : undefined));
  program.send({ modelFile });
  return { port: await listening, processId: program.child.pid, stop: program.stop };
}
