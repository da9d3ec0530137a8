/**
 * How to start a program that stands beside this file: from its source with tsx in a checkout, as it is in the built gateway, where all programs stand in one folder.
 * Resolved here: a process that starts in an empty folder could not.
 */
export function programOf(name: 'inference-process' | 'passport-process' | 'shipper-process'): { program: URL; loaderArguments: string[] } {
  const isBuilt = import.meta.url.endsWith('.js');
  return {
    program: new URL(`./${name}${isBuilt ? '.js' : '.ts'}`, import.meta.url),
    loaderArguments: isBuilt ? [] : ['--import', import.meta.resolve('tsx')],
  };
}
