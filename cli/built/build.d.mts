export function buildCli(projectRoot: string): Promise<void>;
