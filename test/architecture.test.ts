/**
 * The house rules as a table: which room may import which, where Node's builtins and the outside world may be touched, and
 * that nothing is needed at run time. Reads the sources as text; where only dist/ is there, its JavaScript.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

/** lib/ and cli/ beside this file's folder: the sources when run unbuilt, dist/ when built. */
const top = dirname(dirname(fileURLToPath(import.meta.url)));
const extension = existsSync(join(top, 'lib', 'errors.ts')) ? '.ts' : '.js';

/** Each room and the rooms it may import beside itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'errors': [],
  'ports': [],
  'base': ['errors', 'ports'],
  'formats': ['errors', 'base'],
  'config': ['errors', 'ports', 'base', 'formats'],
  'policy': ['errors', 'ports', 'base', 'formats'],
  'agents': ['errors', 'ports', 'base', 'formats'],
  'journal': ['errors', 'ports', 'base', 'formats'],
  'telemetry': ['errors', 'ports', 'base', 'formats'],
  'audit': ['errors', 'ports', 'base', 'formats', 'journal'],
  'store': ['errors', 'ports', 'base', 'formats', 'journal'],
  'approvals': ['errors', 'ports', 'base', 'formats', 'audit', 'store', 'telemetry'],
  'budgets': ['errors', 'ports', 'base', 'formats', 'policy', 'store'],
  'gate': ['errors', 'ports', 'base', 'formats', 'config', 'policy', 'agents', 'journal', 'audit', 'store', 'approvals', 'telemetry'],
  'runs': ['errors', 'ports', 'base', 'formats', 'config', 'policy', 'agents', 'journal', 'audit', 'store', 'approvals', 'budgets', 'gate', 'telemetry'],
  'server': ['errors', 'ports', 'base', 'formats', 'config', 'policy', 'journal', 'audit', 'store', 'approvals', 'gate', 'runs', 'telemetry'],
  'host': ['errors', 'ports', 'base'],
  'web': [],
  'app': ['errors', 'ports', 'base', 'formats', 'config', 'policy', 'agents', 'journal', 'audit', 'store', 'approvals', 'budgets', 'gate', 'runs', 'server', 'telemetry', 'host'],
  'entry': ['errors', 'ports', 'base', 'formats', 'config', 'policy', 'agents', 'journal', 'audit', 'store', 'approvals', 'gate', 'telemetry', 'host', 'app'],
  'index': ['errors', 'app'],
  'cli': ['errors', 'ports', 'base', 'formats', 'config', 'policy', 'agents', 'audit', 'store', 'approvals', 'gate', 'runs', 'app', 'host'],
};

/** Reading a clock, drawing lots, waiting, printing, looking at the process: only `host` does that. */
const worldly = /(?<![\w.$#'"`])(process|console|fetch|performance|setTimeout|setInterval|setImmediate|queueMicrotask)(?=[.(])|Date\.now\(|new Date\(\)|Math\.random\(|globalThis\.crypto/;

interface Source {
  readonly path: string;
  readonly room: string;
  readonly code: string;
  readonly imports: readonly string[];
  /** Those that are loaded with the file; `import('x')` is loaded when it is called. */
  readonly loadedWith: readonly string[];
  /** All that is ever loaded. */
  readonly loaded: readonly string[];
}

function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesBelow(path);
    return path.endsWith(extension) && !path.endsWith('.d.ts') ? [path] : [];
  });
}

/** Source without comments, strings kept: enough to find imports and names. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

/** `import … from 'x'`, `import 'x'`, `import('x')`, `process.getBuiltinModule('x')`; the last two load when they are called. */
const importForms: readonly RegExp[] = [
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g,
  /(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g,
  /\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)/g,
  /\bgetBuiltinModule\s*\(\s*['"]([^'"]+)['"]\s*\)/g,
];

function readSource(path: string): Source {
  const code = withoutComments(readFileSync(path, 'utf8'));
  const named = (forms: readonly RegExp[]): readonly string[] => forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1] ?? ''));
  // A type is gone when the program runs; it counts for who may know whom, and not for what is loaded.
  const loadedWith = named([/(?:^|\n)\s*(?:import|export)\s(?!type\b)[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g, ...importForms.slice(1, 2)]);
  const loaded = [...loadedWith, ...named(importForms.slice(2))];
  const imports = named(importForms);
  return { path: relative(top, path), room: roomOf(path), code, imports, loadedWith, loaded };
}

function roomOf(path: string): string {
  const parts = relative(top, path).split('/');
  if (parts[0] === 'cli') return 'cli';
  return (parts[1] ?? '').replace(/\.(ts|js)$/, '');
}

/** In dist/ these hold copies of the others (docs/decisions/0005); test/cli/joined.test.ts and test/entry/joined.test.ts compare them. */
const joined: readonly string[] = ['cli/joined.js', 'lib/entry/telemetry.js', 'lib/entry/telemetry-later.js'];
const sources = [...filesBelow(join(top, 'lib')), ...filesBelow(join(top, 'cli'))].map(readSource).filter(({ path }) => !joined.includes(path));

test('there are sources to look at', () => {
  assert.ok(sources.length > 100, `found ${sources.length}`);
});

test('every room imports only rooms below it', () => {
  const wrong = sources.flatMap((source) => source.imports.filter((name) => name.startsWith('.')).flatMap((name) => {
    const target = roomOf(join(top, dirname(source.path), name));
    const allowed = target === source.room || (mayImport[source.room] ?? []).includes(target);
    return allowed ? [] : [`${source.path} imports ${name} (${source.room} -> ${target})`];
  }));
  assert.deepEqual(wrong, []);
});

test('no file imports itself through others', () => {
  const graph = new Map(sources.map((source) => [source.path, source.loadedWith.filter((name) => name.startsWith('.')).map((name) => relative(top, join(top, dirname(source.path), name)))]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) { cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> ')); return; }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  // A type may point up and down; what counts is what is loaded. Types are gone from dist/.
  if (extension === '.js') assert.deepEqual(cycles, []);
});

test('Node\'s builtins are imported only by host, and node:crypto by base', () => {
  const wrong = sources.flatMap((source) => source.imports.filter((name) => name.startsWith('node:')).flatMap((name) => {
    const allowed = source.room === 'host' || (source.room === 'base' && name === 'node:crypto');
    return allowed ? [] : [`${source.path} imports ${name}`];
  }));
  assert.deepEqual(wrong, []);
});

test('the builtins in use are the ones docs/decisions/0001 gives a reason for', (t) => {
  const used = [...new Set(sources.flatMap((source) => source.loaded.filter((name) => name.startsWith('node:'))))].sort();
  const document = join(extension === '.ts' ? top : dirname(top), 'docs', 'decisions', '0001-node-builtins.md');
  if (!existsSync(document)) return t.diagnostic('docs/ is not here: the list was not compared');
  const given = [...readFileSync(document, 'utf8').matchAll(/^\| `(node:[a-z_/]+)` \|/gm)].map((match) => match[1] ?? '').sort();
  return assert.deepEqual(used, given);
});

test('nothing but relative paths and Node\'s builtins is imported', () => {
  const wrong = sources.flatMap((source) => source.imports.filter((name) => !name.startsWith('.') && !name.startsWith('node:')).map((name) => `${source.path} imports ${name}`));
  assert.deepEqual(wrong, []);
});

/** Where the program begins: it says that nothing can be loaded, and has nothing loaded to say it with. */
const wayIn = `cli/loki${extension}`;

test('only host touches the process, the clock, timers and chance', () => {
  const wrong = sources.filter((source) => source.room !== 'host' && source.room !== 'web' && source.path !== wayIn).flatMap((source) =>
    source.code.split('\n').flatMap((line) => (worldly.test(line.replace(/(['"`])(?:\\.|(?!\1).)*\1/g, '""')) ? [`${source.path}: ${line.trim()}`] : [])));
  assert.deepEqual(wrong, []);
});

test('package.json names no dependency that is needed at run time', () => {
  const path = join(extension === '.ts' ? top : dirname(top), 'package.json');
  // A vendored dist/ may come without its package.json: then there is nothing that could name one.
  const manifest: { dependencies?: object; optionalDependencies?: object; peerDependencies?: object; devDependencies?: object } = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  assert.deepEqual([manifest.dependencies, manifest.optionalDependencies, manifest.peerDependencies], [undefined, undefined, undefined]);
  const development = Object.keys(manifest.devDependencies ?? {}).filter((name) => !['typescript', 'tsx', 'c8', '@types/node'].includes(name));
  assert.deepEqual(development, []);
});
