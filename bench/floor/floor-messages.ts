/** From the bench to the floor's process. */
export interface ToFloor {
  modelFile: string;
}
/** From the floor's process to the bench. */
export type FromFloor = { kind: 'ready' } | { kind: 'listening'; port: number };
