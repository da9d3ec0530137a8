import type { Script } from 'node:vm';
export function compiledOf(file: string): string;
export function loadProgram(file: string): { script: Script; exports: unknown };
