/** What `models init` wrote. */
export interface WrittenModel {
  folder: string;
  task: string;
  table: string;
  files: { file: string; part: string }[];
  rows: number;
  features: number;
  leftOut: string[];
}
