import type { Lineage } from './model-version.js';

/** What of a lineage only some versions have: a trainer of the team's own, or that the model was made elsewhere. */
export function originRows({ programSha256, imported }: Lineage): [string, string][] {
  const program: [string, string][] = programSha256 === undefined ? [] : [['Trainer program', programSha256]];
  if (imported === undefined) return program;
  const { libraries, ...declared } = imported.declared;
  const said = Object.entries(declared).map(([field, text = '']): [string, string] => [`${field}, as declared`, text]);
  return [
    ['Made elsewhere, file', imported.fileSha256],
    ['Compared with', imported.nativeSha256 ?? 'itself: no native model came with it'],
    ...said,
    ...(libraries === undefined
      ? []
      : [['libraries, as declared', Object.entries(libraries).flat().join(' ')] satisfies [string, string]]),
  ];
}
