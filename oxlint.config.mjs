import { readFileSync } from 'node:fs';

/**
 * Lint rules, and who may import whom. A zone names what a folder may import besides itself; all else in the root is
 * out of reach. Relative imports are read by depth, so that `db/serving/` is not taken for `serving/`.
 */
const zones = [
  {
    folder: 'domain',
    may: [],
    packages: ['zod', 'canonicalize', '@noble/hashes'],
    why:
      "domain/ is pure: no I/O, clock, process or SDK, so that it runs anywhere, Temporal's isolate included. It " +
      'may import zod, canonicalize and @noble/hashes.',
  },
  {
    folder: 'models',
    may: ['domain'],
    packages: [],
    why: 'models/ is what a team edits: plain definitions on domain/ only.',
  },
  {
    folder: 'workflows',
    may: ['domain'],
    mayTypes: ['activities'],
    packages: ['@temporalio/workflow', '@temporalio/common', 'zod'],
    why: "workflows/ run in Temporal's isolate and are replayed: domain/ by value, activities/ by `import type` only.",
  },
  {
    folder: 'adapters',
    may: ['domain'],
    why: "adapters/ wrap one outside system each: domain/ and that system's SDK only.",
  },
  {
    folder: 'db',
    may: ['domain'],
    packages: ['node:', 'drizzle-orm', 'drizzle-kit', 'postgres', 'zod'],
    why: 'db/ holds schema and queries: domain/, drizzle-orm and postgres only.',
  },
  {
    folder: 'client',
    may: ['domain', 'workflows', 'config'],
    why:
      'client/ is a small library for CI and scripts: domain/, workflows/ (names and types) and the ' +
      'configuration only.',
  },
  {
    folder: 'oversight',
    may: ['domain', 'db', 'client'],
    why: 'oversight/ says whether what is open gets on, for the API and the doctor: domain/, db/ and client/ only.',
  },
  {
    folder: 'inference',
    may: ['domain', 'adapters'],
    why: 'inference/ reads contracts and runs model processes for whoever asks: domain/ and adapters/ only.',
  },
  {
    folder: 'activities',
    may: ['domain', 'db', 'adapters', 'client', 'inference'],
    why:
      'activities/ are side effects composed of domain/, db/, adapters/, inference/ and client/; they never reach ' +
      'into processes.',
  },
  {
    folder: 'workers',
    may: ['domain', 'activities', 'adapters', 'db', 'client', 'config'],
    why: 'workers/ are composition roots: activities/, adapters/, db/, client/ and the configuration.',
  },
  {
    folder: 'serving',
    may: ['domain', 'adapters', 'db', 'inference', 'config'],
    why:
      'serving/ is the data plane, which outlives the control plane: domain/, inference/, adapters/, db/ and the ' +
      'configuration only.',
  },
  {
    folder: 'api',
    may: ['domain', 'db', 'client', 'adapters', 'oversight', 'config'],
    why: "api/ is the control plane's HTTP server: domain/, db/, client/, adapters/ and the configuration only.",
  },
  {
    folder: 'cli',
    may: ['domain', 'models', 'client', 'infra', 'oversight', 'config'],
    why:
      'cli/ is a client like any other: domain/, models/, client/ and infra/ only; it asks the API, never the ' +
      'database.',
  },
  {
    folder: 'infra',
    may: ['domain', 'adapters', 'db', 'client', 'oversight', 'config'],
    why:
      'infra/ starts and watches processes: adapters/, db/, client/ and the configuration only; it never imports ' +
      'what runs inside them.',
  },
  {
    folder: 'infra/main-job',
    may: ['domain', 'adapters', 'db', 'client', 'config', 'models'],
    why:
      'infra/main-job/ drives the whole product and may also read models/; it never imports what runs inside ' +
      'processes.',
  },
  {
    folder: 'bench',
    may: ['domain', 'models', 'adapters', 'db', 'infra', 'client', 'config', 'serving/grpc/generated', 'trainers'],
    why:
      'bench/ measures the product from outside: it starts processes and talks to them; domain/, models/, ' +
      'adapters/, db/ and infra/ help it to set them up.',
  },
];

const { dependencies, devDependencies } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));
const installed = ['node:', ...Object.keys({ ...dependencies, ...devDependencies })];

const folders = [...new Set(zones.map(({ folder }) => folder.split('/')[0])), 'console', 'trainers', 'test'];
const depthMax = 5;

const entryFile = {
  regex: String.raw`(?:^|/)main(?:\.js|\.ts)$`,
  message: 'A main.ts is an entry file: it runs when it is imported. Import what it composes.',
};

/** What files of a zone may not import, `depth` folders below the root. */
function patternsOf({ folder, may, mayTypes = [], packages, why }, depth) {
  const up = String.raw`^(?:\.\./){${depth}}`;
  const own = folder.split('/')[0];
  const reachable = (name) => name === own || may.includes(name) || mayTypes.includes(name);
  const parts = folders
    .filter((name) => !reachable(name))
    .map((name) => {
      const inside = may.filter((path) => path.startsWith(`${name}/`)).map((path) => path.slice(name.length + 1));
      return inside.length === 0 ? `${name}/` : `${name}/(?!${inside.join('|')})`;
    });
  if (!may.includes('config')) parts.push(String.raw`(?:perdure|temporal)\.config`);
  const patterns = [{ regex: `${up}(?:${parts.join('|')})`, message: why }];
  for (const name of mayTypes) patterns.push({ regex: `${up}${name}/`, allowTypeImports: true, message: why });
  if (packages) {
    const refused = installed.filter((name) => !packages.includes(name));
    patterns.push({
      regex: `^(?:${refused.map((name) => name.replaceAll('.', String.raw`\.`)).join('|')})`,
      message: why,
    });
  }
  return folder === 'cli' ? patterns : [...patterns, entryFile];
}

function zoneOverrides(zone) {
  const first = zone.folder.split('/').length;
  return Array.from({ length: depthMax - first + 1 }, (_, extra) => ({
    files: [`${zone.folder}/${'*/'.repeat(extra)}*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: patternsOf(zone, first + extra) }] },
  }));
}

export default {
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise'],
  categories: { correctness: 'error' },
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/no-explicit-any': 'error',
    'typescript/consistent-type-imports': [
      'error',
      { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
    ],
    'typescript/await-thenable': 'error',
    'import/no-cycle': 'error',
    'no-console': 'error',
    'max-lines-per-function': ['error', { max: 80, skipComments: true, skipBlankLines: true }],
    eqeqeq: 'error',
    'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    'unicorn/no-new-array': 'off',
    'unicorn/no-useless-spread': 'off',
    'typescript/unbound-method': 'off',
  },
  overrides: [
    ...zones.flatMap(zoneOverrides),
    { files: ['bench/**', 'cli/**', 'infra/**', 'test/**'], rules: { 'no-console': 'off' } },
    // `describe` is a function too.
    { files: ['test/**'], rules: { 'max-lines-per-function': 'off' } },
  ],
  ignorePatterns: [
    'node_modules/',
    '.tools/',
    '.perdure/',
    '.perdure-bench/',
    'db/migrations/',
    'serving/grpc/generated/',
  ],
};
