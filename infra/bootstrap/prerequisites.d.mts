export function checkNode(version?: string): void;
export function findPython(): string;
export function isAtLeast(version: string, minimum: number[]): boolean;
