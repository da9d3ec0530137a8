export function nodePackagesFit(projectRoot: string, wanted: { development: boolean }): boolean;
export function installNodePackages(projectRoot: string): Promise<void>;
