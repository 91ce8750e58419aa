/** The house rules, as a test: what may know what, and which file alone may do what. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openapiText } from '../scripts/openapi.ts';
import { settingsTable } from '../scripts/settings.ts';
import { contracts } from '../src/contract/index.ts';
import type { Contract } from '../src/contract/schema.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface SourceFile {
  /** From the root: src/core/units.ts. */
  path: string;
  text: string;
  /** The text without comments. */
  code: string;
  /** Imported files of the project, from the root. */
  imports: string[];
  /** Imported packages and Node's own modules. */
  packages: string[];
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

function read(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const code = withoutComments(text);
  const named = [...code.matchAll(/(?:\sfrom |^import |\bimport\()'([^'\s]+)'/gm)].map((match) => match[1]!);
  const local = named.filter((name) => name.startsWith('.'));
  return {
    path,
    text,
    code,
    imports: local.map((name) => relative(ROOT, join(ROOT, dirname(path), name))),
    packages: named.filter((name) => !name.startsWith('.')),
  };
}

const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => read(join('src', name)));
const production = files.filter(({ path }) => !path.endsWith('.test.ts'));

/** Lines "file: what" of everything in `found` that breaks a rule; an empty list is what every rule wants. */
function breaches(found: SourceFile[], breaks: (file: SourceFile) => string[]): string[] {
  return found.flatMap((file) => breaks(file).map((what) => `${file.path}: ${what}`));
}

function under(folder: string): SourceFile[] {
  return production.filter(({ path }) => path.startsWith(`src/${folder}/`));
}

function allowOnly(found: SourceFile[], imports: RegExp, packages: RegExp): string[] {
  return breaches(found, (file) => [
    ...file.imports.filter((path) => !imports.test(path)),
    ...file.packages.filter((name) => !packages.test(name)),
  ]);
}

/** Slices in the order of their knowledge: each may use those before it. */
const SLICES = [
  'auth',
  'properties',
  'keys',
  'ledger',
  'projection',
  'meters',
  'people',
  'readings',
  'photos',
  'devices',
  'consumption',
  'attention',
  'imports',
  'exports',
  'archive',
  'inputs',
  'mqtt',
  'users',
];

describe('imports go one way', () => {
  test('there is something to look at', () => {
    expect(production.length).toBeGreaterThan(40);
    expect(production.find(({ path }) => path === 'src/core/energy.ts')?.imports).toContain(
      'src/core/units.ts',
    );
  });

  test('core imports only core, and the calendar', () => {
    expect(allowOnly(under('core'), /^src\/core\//, /^temporal-polyfill$/)).toEqual([]);
  });

  test('contract imports only contract and TypeBox', () => {
    expect(allowOnly(under('contract'), /^src\/contract\//, /^typebox$/)).toEqual([]);
  });

  test('client imports only contract and TypeBox', () => {
    expect(allowOnly(under('client'), /^src\/(client|contract)\//, /^typebox$/)).toEqual([]);
  });

  test('the command line never imports the server, but for its database', () => {
    // Recompute works on a whole store, whoever owns what, and a lost password is no credential: no call does that.
    const allowed =
      /^(src\/(cli|client|contract|core|server\/db)\/|src\/server\/(projection\/recompute|auth\/new-password|errors)\.ts$|package\.json$)/;
    expect(breaches(under('cli'), ({ imports }) => imports.filter((path) => !allowed.test(path)))).toEqual(
      [],
    );
  });

  test('the server never imports what uses it', () => {
    const users = /^src\/(cli|client|web)\//;
    expect(breaches(under('server'), ({ imports }) => imports.filter((path) => users.test(path)))).toEqual(
      [],
    );
  });

  test('the web app imports core, the client and types of contracts only', () => {
    const allowed = /^(src\/(web|core|client|contract)\/|samples\/)/;
    const values = /^import (?!type )[^;]*'[^']*\/contract\//m;
    const wrong = breaches(under('web'), ({ imports, code }) => [
      ...imports.filter((path) => !allowed.test(path)),
      ...(values.test(code) ? ['values of contracts bring the schemas along'] : []),
    ]);
    expect(wrong).toEqual([]);
  });

  test('no feature of the web app imports another', () => {
    const feature = (path: string) => /^src\/web\/features\/(\w+)\//.exec(path)?.[1];
    const found = breaches(under('web/features'), ({ path, imports }) =>
      imports.filter((imported) => feature(imported) && feature(imported) !== feature(path)),
    );
    const others = breaches(under('web/ui'), ({ imports }) => imports.filter(feature));
    expect([...found, ...others]).toEqual([]);
  });

  test('a slice uses lower slices only, never their routes or actions', () => {
    const slice = (path: string) => /^src\/server\/(\w+)\//.exec(path)?.[1] ?? '';
    const found = production.filter(({ path }) => SLICES.includes(slice(path)));
    const wrong = breaches(found, ({ path, imports }) =>
      imports.filter((imported) => {
        const [own, other] = [SLICES.indexOf(slice(path)), SLICES.indexOf(slice(imported))];
        return other >= 0 && other !== own && (other > own || /\/(routes|actions)\.ts$/.test(imported));
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('every folder of the server is a slice or a named part', () => {
    const folders = new Set(
      under('server').flatMap(({ path }) => /^src\/server\/(\w+)\//.exec(path)?.[1] ?? []),
    );
    expect(
      [...folders].filter((name) => ![...SLICES, 'db', 'http', 'jobs', 'mail', 'zip'].includes(name)),
    ).toEqual([]);
  });

  test('no cycles', () => {
    const imports = new Map(files.map((file) => [file.path, file.imports]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: string[]) => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (done.has(path) || trail.includes(path)) return;
      for (const imported of imports.get(path) ?? []) visit(imported, [...trail, path]);
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(cycles).toEqual([]);
  });
});

/** Files other than `allowed` in which `pattern` stands. */
function onlyIn(allowed: RegExp, pattern: RegExp, found = production): string[] {
  return found.filter(({ path, code }) => !allowed.test(path) && pattern.test(code)).map(({ path }) => path);
}

describe('one place for everything', () => {
  test('the engines are named in two files, and where a call puts down what it cannot hold', () => {
    const allowed = /^src\/server\/db\/(dialect|connect|scratch)\.ts$/;
    expect(onlyIn(allowed, /sqlite|postgres|\bpg\b/i)).toEqual([]);
  });

  test('the environment is read in one file', () => {
    expect(onlyIn(/^src\/server\/config\.ts$/, /process\.env/)).toEqual([]);
  });

  test('core has no clock and no randomness', () => {
    const impure = /Date\.now|new Date\(\)|performance\.|Math\.random|Temporal\.Now|crypto|process\./;
    expect(onlyIn(/^$/, impure, under('core'))).toEqual([]);
  });

  test('SQL stands in stores and in db only', () => {
    expect(
      onlyIn(/\/store\.ts$|^src\/server\/db\//, /\bsql[`<]|selectFrom\(|insertInto\(|updateTable\(/),
    ).toEqual([]);
  });

  test('transactions are opened by actions, migrations, jobs, the recomputation and the count of requests only', () => {
    const allowed =
      /\/(actions|corrections|deletion|undo|new-password|reset)\.ts$|^src\/server\/((db|jobs)\/|http\/rate-limit\.ts$)|^src\/cli\/ledger\.ts$/;
    expect(onlyIn(allowed, /(db|database)\.write\(/)).toEqual([]);
  });
});

test('OpenAPI names the content type of every download, and of nothing else', async () => {
  const { paths } = JSON.parse(await openapiText());
  for (const { method, url, response, download } of Object.values(contracts) as Contract[]) {
    const operation = paths[url.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()];
    for (const status of Object.keys(response).filter((each) => each !== '204')) {
      const types = Object.keys(operation.responses[status].content);
      expect(types, `${method} ${url}`).toEqual(download ?? ['application/json']);
    }
  }
});

describe('generated files are current (npm run generate renews them)', () => {
  test('docs/openapi.json', async () => {
    expect(await openapiText()).toBe(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8'));
  });

  test('docs/settings.md', () => {
    expect(settingsTable()).toBe(readFileSync(join(ROOT, 'docs/settings.md'), 'utf8'));
  });
});
