const width = 118;

/** A value as it is written in a model file: names without quotes, on one line where it fits. */
export function sourceText(value: unknown, indent = ''): string {
  const flat = oneLine(value);
  if (indent.length + flat.length <= width - 20 || value === null || typeof value !== 'object') return flat;
  const inner = `${indent}  `;
  const lines = Array.isArray(value)
    ? value.map((one: unknown) => `${inner}${sourceText(one, inner)},`)
    : Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([key, one]) => `${inner}${nameText(key)}: ${sourceText(one, inner)},`);
  const [open, shut] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return [open, ...lines, `${indent}${shut}`].join('\n');
}

function oneLine(value: unknown): string {
  if (typeof value === 'string')
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (value === null || typeof value !== 'object') return String(value);
  const fields = Object.entries(value).filter(([, one]) => one !== undefined);
  if (fields.length === 0) return '{}';
  return `{ ${fields.map(([key, one]) => `${nameText(key)}: ${oneLine(one)}`).join(', ')} }`;
}

const nameText = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : oneLine(name));
