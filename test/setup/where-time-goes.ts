/** One test file's share of a run: when it began and ended, on the clock of the runner. */
export interface FileTime {
  project: string;
  file: string;
  beganMs: number;
  endedMs: number;
}

const slowestShown = 10;

/**
 * Where the time of a run went, as the lines of a Markdown table: by project on the wall clock, then its slowest files.
 */
export function whereTimeGoes(times: readonly FileTime[]): string[] {
  const names = [...new Set(times.map(({ project }) => project))];
  const byProject = names.map((name) => {
    const files = times.filter(({ project }) => project === name);
    const wallMs = Math.max(...files.map(({ endedMs }) => endedMs)) - Math.min(...files.map(({ beganMs }) => beganMs));
    return `| \`${name}\` | ${files.length} | ${seconds(wallMs)} |`;
  });
  const slowest = times
    .toSorted((left, right) => took(right) - took(left))
    .slice(0, slowestShown)
    .map((one) => `| \`${one.file}\` | | ${seconds(took(one))} |`);
  return ['| Project, slowest files | Files | Seconds |', '|---|--:|--:|', ...byProject, ...slowest];
}

const took = ({ beganMs, endedMs }: FileTime) => endedMs - beganMs;
const seconds = (ms: number) => (ms / 1000).toFixed(0);
