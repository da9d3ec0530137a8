export interface Tool {
  name: string;
  title: string;
  folder: string;
  requirements: string;
  extraArgs: string[];
  hashedFiles: string[];
}
export function wantedTools(projectRoot: string, forTests: boolean): Tool[];
export function isToolFresh(tool: Tool): boolean;
export function indexOfPip(configuration: string, environment?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
