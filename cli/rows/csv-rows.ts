import { createReadStream } from 'node:fs';
import { PerdureError } from '../../domain/errors.js';

const delimiters = [',', ';', '\t'];

/**
 * Rows of a CSV file (RFC 4180, UTF-8, names in the first line), every cell a text as it stands there; an empty one is
 * null. The delimiter is a comma, or a semicolon or tab where the first line has no comma. What a text means is up to
 * whoever knows its type: nothing is guessed.
 * @throws PerdureError `input/invalid` that names the line.
 */
export async function* csvRows(file: string): AsyncGenerator<Record<string, string | null>> {
  let names: string[] | undefined;
  let delimiter = ',';
  for await (const { text, line } of records(file)) {
    if (names === undefined) {
      const bare = text.replaceAll(/"[^"]*"/g, '');
      delimiter = delimiters.find((one) => bare.includes(one)) ?? ',';
      names = header(file, cellsOf(file, text, line, delimiter));
      continue;
    }
    if (text === '' && names.length > 1) continue;
    const cells = cellsOf(file, text, line, delimiter);
    if (cells.length !== names.length)
      throw invalid(file, line, `it has ${cells.length} cells, but the header has ${names.length} names`);
    yield Object.fromEntries(names.map((name, index) => [name, cells[index] || null]));
  }
}

function header(file: string, names: string[]): string[] {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(file, 1, `two columns are named ${JSON.stringify(twice)}: rename one`);
  const padded = names.find((name) => name !== name.trim() || name === '');
  if (padded !== undefined)
    throw invalid(file, 1, `the name ${JSON.stringify(padded)} is empty or has surrounding spaces: fix it`);
  return names;
}

/** Lines, several where a line break stands in quotes; each with the number of its first line. */
async function* records(file: string): AsyncGenerator<{ text: string; line: number }> {
  let text = '';
  let isOpen = false;
  let first = 1;
  let line = 0;
  for await (const next of lines(file)) {
    line += 1;
    if (!isOpen) first = line;
    text = isOpen ? text + next : next;
    for (let at = next.indexOf('"'); at !== -1; at = next.indexOf('"', at + 1)) isOpen = !isOpen;
    if (!isOpen) yield { text: text.replace(/\r?\n$/, ''), line: first };
  }
  if (isOpen) throw invalid(file, first, 'a quote is opened and never closed');
}

/** Lines with their ends. A byte order mark at the beginning is left out. */
async function* lines(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  const decode = (bytes?: Buffer) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new PerdureError('input/invalid', `${file} is not UTF-8: save it as UTF-8.`, { file });
    }
  };
  for await (const chunk of createReadStream(file)) {
    const parts = (rest + decode(Buffer.from(chunk))).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) yield `${part}\n`;
  }
  rest += decode();
  if (rest !== '') yield rest;
}

function cellsOf(file: string, text: string, line: number, delimiter: string): string[] {
  const cells: string[] = [];
  for (let at = 0; at <= text.length;) {
    if (text[at] === '"') {
      let end = text.indexOf('"', at + 1);
      while (text[end + 1] === '"') end = text.indexOf('"', end + 2);
      if (end + 1 < text.length && text[end + 1] !== delimiter)
        throw invalid(file, line, 'unexpected text after a closing quote');
      cells.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 2;
    } else {
      const found = text.indexOf(delimiter, at);
      const end = found === -1 ? text.length : found;
      const cell = text.slice(at, end);
      if (cell.includes('"'))
        throw invalid(file, line, 'an unquoted cell contains a quote: quote the cell and double the quote');
      cells.push(cell);
      at = end + 1;
    }
  }
  return cells;
}

const invalid = (file: string, line: number, problem: string) =>
  new PerdureError('input/invalid', `${file}, line ${line}: ${problem}.`, { file, line });
