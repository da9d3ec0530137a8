export function buildsOf(projectRoot: string): string;
export const settings: readonly string[];
export function stampOf(file: string): string;
export function builtCli(projectRoot: string): string | undefined;
export function startBuild(projectRoot: string): void;
