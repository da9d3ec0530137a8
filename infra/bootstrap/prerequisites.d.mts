export function checkNode(version?: string): void;
export function findPython(): Promise<string>;
export function isAtLeast(version: string, minimum: number[]): boolean;
