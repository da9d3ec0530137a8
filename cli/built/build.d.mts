export function buildCli(projectRoot: string): Promise<void>;
export function bundle(projectRoot: string): Promise<{ sources: Record<string, string>; program: Uint8Array }>;
