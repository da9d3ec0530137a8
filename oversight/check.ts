export interface Check {
  name: string;
  /** `note` is worth knowing, and nothing is broken. */
  outcome: 'ok' | 'note' | 'problem';
  /** What was found, in a few words. */
  finding: string;
  /** What to do about it; only for notes and problems. */
  remedy?: string | undefined;
}

export const ok = (name: string, finding: string): Check => ({ name, outcome: 'ok', finding, remedy: undefined });
export const note = (name: string, finding: string, remedy: string): Check => ({
  name,
  outcome: 'note',
  finding,
  remedy,
});
export const problem = (name: string, finding: string, remedy: string): Check => ({
  name,
  outcome: 'problem',
  finding,
  remedy,
});
