import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

export const projectRoot = path.resolve(import.meta.dirname, '../../..');

/** A Markdown file of the project. */
export interface Document {
  /** Path from the project's root. */
  file: string;
  text: string;
}

function markdownUnder(folder: string): string[] {
  return readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => file.endsWith('.md') && statSync(path.join(projectRoot, file)).isFile());
}

/** Every document that people read: at the root, in docs/ and beside the trainers. */
export const documents: Document[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'trainers/README.md',
  ...markdownUnder('docs'),
].map((file) => ({
  file,
  text: readFileSync(path.join(projectRoot, file), 'utf8'),
}));

/** The text of one document. @throws when there is none of that path. */
export function documentText(file: string): string {
  const found = documents.find((document) => document.file === file);
  if (!found) throw new Error(`there is no document ${file}`);
  return found.text;
}

/** Contents of the fenced blocks of a language, in order. */
export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] ?? '');
}

/** The anchors that GitHub makes of a document's headings. */
export function anchorsOf(text: string): Set<string> {
  const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, '');
  const headings = [...prose.matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
