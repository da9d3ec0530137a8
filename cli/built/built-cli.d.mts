export const programName: string;
export function buildsOf(projectRoot: string): string;
export function stampOf(file: string): string;
export function builtCli(projectRoot: string): string | undefined;
export function startBuild(projectRoot: string): void;
