/**
 * The joiner, and `loki` through the files it makes. Only a build has them: tests that run unbuilt send the same actions
 * through the plain modules, which must give the same answers.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { treeRoot } from '../support/child.ts';
import { fixture } from '../support/root.ts';
import { lokiProgram } from '../support/story.ts';

interface Range { readonly kind: string; readonly start: number; readonly end: number }
interface Joined { readonly program: string; readonly modules: string }
interface Part { readonly roots: readonly string[]; readonly without: readonly string[] }
type Join = (entry: string, read: (name: string) => string, parts?: readonly Part[]) => Joined;
type Table = Readonly<Record<string, readonly [length: number, fromEnd: number, lineOffset: number]>> & { readonly length: number; readonly pieces: readonly (readonly number[])[] };

const { joinModules, joinedName }: { joinModules: Join; joinedName: string } = await import(pathToFileURL(fixture('support', 'join.mjs')).href);
const { parts }: { parts: readonly Part[] } = await import(pathToFileURL(fixture('support', 'joined-parts.mjs')).href);
const { scanCode, codeOnly }: { scanCode: (text: string) => readonly Range[]; codeOnly: (text: string, ranges: readonly Range[]) => string } = await import(pathToFileURL(fixture('support', 'scan-code.mjs')).href);

const program = join(treeRoot, 'cli', 'loki.cjs');
const modules = join(treeRoot, 'cli', joinedName);
/** Not so unbuilt, nor after a build with `--plain`. */
const built = existsSync(program);
const require = createRequire(import.meta.url);
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'loki-joined-')));
after(() => rmSync(scratch, { recursive: true }));

/** Joins modules given by name, with `a.js` as the entry. */
function joined(files: Readonly<Record<string, string>>, parts?: readonly Part[]): Joined {
  return joinModules('a.js', (name) => files[name] ?? assert.fail(`${name} was asked for`), parts);
}

let count = 0;
/** Writes both texts for a program in a folder below a place of its own, and gives its path. */
function write({ program, modules }: Joined, folder = ''): string {
  count += 1;
  const place = join(scratch, `joined-${count}`, folder);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, joinedName), modules);
  writeFileSync(join(place, 'a.cjs'), program);
  return join(place, 'a.cjs');
}

/** Runs what was joined and gives the exports of `a.js`. */
async function run(files: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  return { ...await require(write(joined(files))) };
}

describe('the joiner', () => {
  test('gives each importer the same class, function and value, under their names inside and out', async () => {
    const { sameClass, sum, all } = await run({
      'a.js': "import { Fault, one as first } from './lib/b.js';\nimport * as b from './lib/b.js';\nimport { two, make } from './lib/c.js';\nexport const sameClass = make() instanceof Fault;\nexport const sum = first + two;\nexport const all = Object.keys(b).sort().join(' ');\n",
      'lib/b.js': 'export class Fault extends Error {\n}\nconst uno = 1;\nexport { uno as one };\nexport async function* later() { yield 1; }\nexport async function soon() { return 1; }\nexport {};\n',
      'lib/c.js': "import { Fault } from './b.js';\nexport { one as two } from './b.js';\nexport function make() { return new Fault('x'); }\n",
    });
    assert.deepEqual({ sameClass, sum, all }, { sameClass: true, sum: 2, all: 'Fault later one soon' });
  });

  test('runs a module once, and one that is imported later not before', async () => {
    const { order, twice } = await run({
      'a.js': "import { order } from './order.js';\norder.push('a');\nconst first = await_();\nasync function await_() { const { b } = await import('./b.js'); return b; }\nexport const twice = Promise.all([first, import('./b.js')]);\nexport { order };\n",
      'order.js': 'export const order = [];\n',
      'b.js': "import { order } from './order.js';\norder.push('b');\nexport const b = order;\n",
    });
    assert.deepEqual(order, ['a', 'b']);
    const [b, whole] = await (twice as Promise<readonly [unknown, { readonly b: unknown }]>);
    assert.ok(b === order && whole.b === order);
    assert.deepEqual(order, ['a', 'b']);
  });

  test('leaves text that looks like imports as it is: templates, comments, strings, regular expressions', async () => {
    const text = [
      '/*', "import { no } from './no.js';", '*/', "// export * from './no.js'",
      'const inner = 1;',
      'export const template = `first', "import { x } from './y.js';", 'export const z = ${`nested ${{ a: `}` }.a}', "import './deep.js';`}", 'export default 1`;',
      'export const string = "import(\'./no.js\') \\" /* ";',
      "export const regex = [/import '[/]`\"/, /[`]/.source, 4 / inner / 2];",
      'export const conditional = (value) => { if (value) /`/.test(value); return /"/.test(value); };',
    ].join('\n');
    const { template, string, regex, conditional } = await run({ 'a.js': text });
    assert.equal(template, "first\nimport { x } from './y.js';\nexport const z = nested }\nimport './deep.js';\nexport default 1");
    assert.equal(string, 'import(\'./no.js\') " /* ');
    assert.deepEqual(regex, [/import '[/]`"/, '[`]', 2]);
    assert.equal((conditional as (value: string) => boolean)('"'), true);
  });

  test('writes characters beyond ASCII as escapes that mean the same', async () => {
    const files = { 'a.js': '// … über\nexport const words = [\'…\', "ü", `→ ${1} 🙂`, /^[ä-ü]$/.test("ö"), /^🙂$/u.test("🙂")];\n' };
    assert.doesNotMatch(joined(files).program + joined(files).modules, /[^\0-\x7f]/);
    assert.deepEqual((await run(files))['words'], ['…', 'ü', '→ 1 🙂', true, true]);
    assert.throws(() => joined({ 'a.js': "export const a = '\\ü';\n" }), /Cannot join a\.js: "ü" cannot be written as an escape here at 1:20/);
    assert.throws(() => joined({ 'a.js': 'export const a = String.raw`ü`;\n' }), /cannot be written as an escape here/);
  });

  test('gives Node\'s own modules, at once or later', async () => {
    const { sameFs, later } = await run({
      'a.js': "import * as fs from 'node:fs';\nimport { readFileSync as read } from 'node:fs';\nexport const sameFs = fs.readFileSync === read;\nexport const later = import('node:os').then(({ hostname }) => typeof hostname);\n",
    });
    assert.deepEqual([sameFs, await later], [true, 'function']);
  });

  test('keeps import.meta.url at the place the module had', async () => {
    const path = write(joinModules('cli/a.js', (name) => (name === 'cli/a.js' ? "export { here } from '../lib/deep/b.js';\n" : 'export const here = import.meta.url;\n')), 'cli');
    const { here }: { here: string } = await require(path);
    assert.equal(fileURLToPath(here), join(dirname(dirname(path)), 'lib', 'deep', 'b.js'));
  });

  test('runs a module that only functions are taken from when one of them is called, and then calls it directly', async () => {
    const { before, sum, after, again } = await run({
      'a.js': "import { order } from './order.js';\nimport { add as plus, times } from './b.js';\nexport const before = [...order];\nexport const sum = plus(1, 2);\nexport const after = [...order];\nexport const again = [plus(2, 2), plus === add2(), times(2, 3), [1, 2].map(times)];\nfunction add2() { return plus; }\n",
      'order.js': 'export const order = [];\n',
      'b.js': "import { order } from './order.js';\norder.push('b');\nexport function add(a, b) { return a + b; }\nexport function times(a, b) { return a * b; }\n",
    });
    assert.deepEqual([before, sum, after, again], [[], 3, ['b'], [4, true, 6, [0, 2]]]);
  });

  test('runs a module at once that a class or a value is taken from', async () => {
    const { order } = await run({
      'a.js': "import { order } from './order.js';\nimport { add, one } from './b.js';\nexport { order };\nexport const unused = () => add(one);\n",
      'order.js': 'export const order = [];\n',
      'b.js': "import { order } from './order.js';\norder.push('b');\nexport function add(a) { return a; }\nexport const one = 1;\n",
    });
    assert.deepEqual(order, ['b']);
  });

  test('keeps modules strict, and names the place of an error by the file\'s lines', async () => {
    const path = write(joined({ 'a.js': "import { two } from './b.js';\nimport { fail } from './c.js';\nexport { fail };\nexport const sum = two;\n", 'b.js': 'export const two = 2;\n', 'c.js': "// A line.\nexport function fail() {\n    undeclared = 1;\n}\n" }));
    const { fail }: { fail: () => void } = await require(path);
    const error: unknown = (() => { try { fail(); return undefined; } catch (thrown) { return thrown; } })();
    assert.ok(error instanceof ReferenceError, String(error));
    const file = join(dirname(path), joinedName);
    const line = 1 + readFileSync(file, 'utf8').split('\n').findIndex((text) => text.includes('undeclared = 1;'));
    assert.ok(error.stack?.includes(`${file}:${line}:`), error.stack);
  });

  test('knows a method called export from the word', async () => {
    const { made } = await run({ 'a.js': 'export const made = { export(a) { return a; } }.export(1);\n' });
    assert.equal(made, 1);
  });

  test('gives the same text for the same modules', () => {
    const files = { 'a.js': "import { b } from './b.js';\nexport const a = b;\n", 'b.js': 'export const b = 1;\n' };
    assert.deepEqual(joined(files), joined(files));
  });

  const refused: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ['a default import', "import b from './b.js';\n", /Cannot join a\.js: this import is not understood: "import b from/],
    ['a default import among names', "import { default as b } from './b.js';\n", /this import is not understood/],
    ['a default export among names', 'const a = 1;\nexport { a as default };\n', /this export is not understood/],
    ['an import for its effect', "import './b.js';\n", /this import is not understood/],
    ['a package', "import { x } from 'left-pad';\n", /Cannot join a\.js: "left-pad" is neither a path nor a builtin of Node/],
    ['a path that leaves the tree', "import { x } from '../b.js';\n", /Cannot join a\.js: "\.\.\/b\.js" is outside/],
    ['a default export', 'export default 1;\n', /this export is not understood/],
    ['a star export', "export * from './b.js';\n", /this export is not understood/],
    ['an export that may change', 'export let a = 1;\n', /this export is not understood/],
    ['an export that is taken apart', 'export const { a } = { a: 1 };\n', /this export is not understood/],
    ['an import of a computed name', 'export const a = import(`./b.js`);\n', /this import is not understood/],
    ['other words about the module', 'export const a = import.meta.dirname;\n', /this import is not understood/],
    ['a name that its module does not export', "import { missing } from './b.js';\n", /Cannot join a\.js: b\.js exports no "missing"/],
    ['a name of the joined file', 'export const $load = 1;\n', /"\$load" is a name of the joined file at 1:14/],
    ['a slash that may be two things', 'const a = {} / 2;\nexport { a };\n', /the slash at 1:14 may divide or begin a regular expression/],
    ['a bracket that closes nothing', 'export const a = 1);\n', /"\)" closes nothing at 1:19/],
    ['a template without an end', 'export const a = `b;\n', /has no end/],
    ['an import within a block', "{\nimport { b } from './b.js';\n}\nimport ('./b.js');\n", /is not understood/],
  ];
  for (const [what, text, message] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(() => joined({ 'a.js': text, 'b.js': 'export const b = 1;\n' }), message);
    });
  }

  test('refuses modules that import each other', () => {
    assert.throws(() => joined({ 'a.js': "import { b } from './b.js';\nexport const a = 1;\n", 'b.js': "import { a } from './a.js';\nexport const b = 1;\n" }), /Cannot join a\.js, which imports b\.js, which imports a\.js/);
  });
});

function tableOf(text: string): Table {
  return JSON.parse(text.slice(2, text.indexOf('\n')));
}

describe('parts of the joined file', () => {
  const files = {
    'a.js': "import { one } from './one.js';\nimport { two } from './two.js';\nexport const first = one;\nexport const second = () => two();\nexport const third = () => import('./three.js');\n",
    'one.js': 'export const one = 1;\n',
    'two.js': "import { deep } from './deep.js';\nexport function two() { return deep() + 1; }\n",
    'deep.js': 'export function deep() { return 1; }\n',
    'three.js': "import { deep } from './deep.js';\nexport const three = 2 + deep();\n",
  };
  const inParts = (): Joined => joined(files, [{ roots: ['one.js'], without: [] }, { roots: ['two.js'], without: ['deep.js'] }]);
  interface Exports { readonly first: number; readonly second: () => number; readonly third: () => Promise<{ readonly three: number }> }
  const load = async (path: string): Promise<Exports> => ({ ...await require(path) as Exports });
  const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

  test('hold their roots and what those import, and the last one all the rest', () => {
    const table = tableOf(inParts().modules);
    assert.deepEqual(Object.keys(table), ['length', 'pieces', 'one.js', 'two.js', 'deep.js', 'three.js']);
    const begin = (name: string): number => (table[name]?.[1] ?? 0) + `\n// ${name}\n(($load, $later, $builtin, $url) => {`.length;
    assert.deepEqual(table.pieces, [[begin('two.js')], [begin('deep.js')]]);
  });

  test('give what they gave as one', async () => {
    const { first, second, third } = await load(write(inParts()));
    assert.deepEqual([first, second(), (await third()).three], [1, 2, 3]);
  });

  test('cannot begin with what nothing imports', () => {
    assert.throws(() => joined(files, [{ roots: ['four.js'], without: [] }]), /Cannot join four\.js first/);
  });

  test('come from the file that was there at the start when another one takes its place', async () => {
    const path = write(inParts());
    const { second, third } = await load(path);
    const file = join(dirname(path), joinedName);
    rmSync(file);
    writeFileSync(file, 'another');
    assert.deepEqual([second(), (await third()).three], [2, 3]);
  });

  test('are refused when the file was written over', async () => {
    const path = write(inParts());
    const { second } = await load(path);
    const file = join(dirname(path), joinedName);
    await pause(20);
    writeFileSync(file, readFileSync(file, 'latin1').replace('+ 1', '+ 7'));
    assert.throws(() => second(), /is not whole, or not the one it was/);
    rmSync(file);
  });

  test('are all there after a second, whatever becomes of the file', async () => {
    const path = write(inParts());
    const { second, third } = await load(path);
    await pause(1_500);
    writeFileSync(join(dirname(path), joinedName), 'another');
    assert.deepEqual([second(), (await third()).three], [2, 3]);
  });
});

test('the joined files import nothing and hold what the build made of each module', (t) => {
  if (!built) return t.diagnostic('unbuilt: there are no joined files');
  const texts = [readFileSync(program, 'utf8'), readFileSync(modules, 'utf8')];
  for (const text of texts) {
    const code = codeOnly(text, scanCode(text.replace(/^#!.*\n/, '')));
    assert.deepEqual([...code.matchAll(/(?<![\w$.#])(?:import|export(?!\s*[(:]))(?![\w$])[\w.]*/g)].map(([word]) => word), []);
  }
  const [, text = ''] = texts;
  const names = [...text.matchAll(/^\/\/ ((?:cli|lib)\/\S+\.js)$/gm)].map(([, name]) => name ?? '');
  assert.ok(names.length > 300, `found ${names.length}`);
  const table = tableOf(text);
  assert.deepEqual(Object.keys(table), ['length', 'pieces', ...names]);
  // Where the table points, the module's code begins and ends; and a module's own text, but for imports and exports, is there.
  const strange = names.filter((name) => {
    const [length, fromEnd, lineOffset] = table[name] ?? [0, 0, 0];
    const start = text.length - fromEnd;
    const body = text.slice(start, start + length);
    const whole = readFileSync(join(treeRoot, name), 'utf8');
    const own = codeOnly(whole, scanCode(whole).filter(({ kind }) => kind === 'comment')).split('\n').map((line) => line.trim()).filter((line) => !/\bimport\b|\bexport\b|^\}? ?from |[^\0-\x7f]/.test(line) && line !== '');
    const held = new Set(body.split('\n').map((line) => line.trim()));
    const missing = own.filter((line) => !held.has(line) && !/^[\w, ]+,$|^\} from/.test(line));
    return !text.slice(0, start).endsWith(`// ${name}\n(($load, $later, $builtin, $url) => {`) || !body.startsWith("'use strict';\n") || !text.slice(start + length).startsWith('});\n')
      || text.slice(0, start).split('\n').length - 1 !== lineOffset || missing.length > 0;
  });
  return assert.deepEqual(strange, []);
});

test('the joined files are what the joiner makes of the modules', (t) => {
  if (!built) return t.diagnostic('unbuilt: there are no joined files');
  // The build put a door in place of the entry's module; its text is in the program.
  const text = readFileSync(program, 'utf8');
  const entry = text.slice(text.indexOf('// cli/loki.js'));
  const read = (name: string): string => (name === 'cli/loki.js' ? entry.split('\n').slice(2, -3).join('\n').replaceAll(/\$later\('cli\/(\w+\.js)'\)/g, "import('./$1')") : readFileSync(join(treeRoot, name), 'utf8'));
  return assert.ok(joinModules('cli/loki.js', read, parts).modules === readFileSync(modules, 'utf8'), 'run the build again');
});

describe('an installation that is broken', () => {
  const install = (change: (cli: string) => void): string => {
    count += 1;
    const cli = join(scratch, `broken-${count}`, 'dist', 'cli');
    mkdirSync(cli, { recursive: true });
    writeFileSync(join(cli, '..', '..', 'package.json'), '{"type":"module"}');
    for (const name of ['loki.cjs', 'loki.js', joinedName]) cpSync(join(treeRoot, 'cli', name), join(cli, name));
    change(cli);
    return cli;
  };
  const broken = (change: (cli: string) => void): readonly (readonly [number | null, string])[] => {
    const cli = install(change);
    return ['loki.cjs', 'loki.js'].map((name) => {
      const { status, stderr } = spawnSync(process.execPath, [join(cli, name), 'hook', 'generic'], { input: '{}', encoding: 'utf8' });
      return [status, stderr];
    });
  };

  const faults: readonly (readonly [what: string, change: (cli: string) => void])[] = [
    ['without the modules', (cli) => rmSync(join(cli, joinedName))],
    ['with half of them', (cli) => writeFileSync(join(cli, joinedName), readFileSync(join(cli, joinedName)).subarray(0, 600_000))],
    ['with a line more', (cli) => writeFileSync(join(cli, joinedName), `${readFileSync(join(cli, joinedName), 'latin1')}\n`)],
    ['with none', (cli) => writeFileSync(join(cli, joinedName), '')],
  ];
  for (const [what, change] of faults) {
    test(`is a no for an agent: ${what}`, (t) => {
      if (!built) return t.diagnostic('unbuilt: there are no joined files');
      for (const [status, stderr] of broken(change)) {
        assert.equal(status, 2);
        assert.match(stderr, /^error: Cannot run loki: .*\nhint: Install the package again\n$/);
      }
      return undefined;
    });
  }

  test('is no matter where nothing of it is needed, and a no where something is', (t) => {
    if (!built) return t.diagnostic('unbuilt: there are no joined files');
    const text = readFileSync(modules, 'latin1');
    const { pieces: [[toHook = 0] = [], [toRest = 0] = []] } = tableOf(text);
    const project = join(scratch, 'parted');
    const env = { PATH: process.env['PATH'] ?? '', HOME: scratch, LOKI_HOME: join(scratch, 'parted-home') };
    mkdirSync(project);
    assert.equal(spawnSync(process.execPath, [program, 'init', '--yes'], { cwd: project, env }).status, 0);
    const withoutPart = (from: number): string =>
      join(install((cli) => writeFileSync(join(cli, joinedName), `${text.slice(0, text.length - from)}${'('.repeat(from)}`)), 'loki.cjs');
    const status = (place: string, args: readonly string[], action: object): number | null =>
      spawnSync(process.execPath, [place, ...args], { cwd: project, env, input: JSON.stringify(action) }).status;
    assert.equal(status(withoutPart(toHook), ['--help'], {}), 0);
    const place = withoutPart(toRest);
    assert.equal(status(place, ['hook', 'generic'], { kind: 'exec', command: 'npm test' }), 0);
    assert.equal(status(place, ['hook', 'generic'], { kind: 'fs.write', file_path: 'src/index.js', content: 'export const one = 1;\n' }), 0);
    // Whether a secret is in it cannot be told.
    assert.equal(status(place, ['hook', 'generic'], { kind: 'fs.write', file_path: 'src/index.js', content: 'const password = "a";\n' }), 3);
    return undefined;
  });

  test('is a no for an agent: the door without the program', (t) => {
    if (!built) return t.diagnostic('unbuilt: there are no joined files');
    const [, [status, stderr] = []] = broken((cli) => rmSync(join(cli, 'loki.cjs')));
    return assert.deepEqual([status, stderr?.split(':')[0]], [2, 'error']);
  });
});

describe('loki hook generic', () => {
  const project = join(scratch, 'project');
  const env = { PATH: process.env['PATH'] ?? '', HOME: scratch, LOKI_HOME: join(scratch, 'home') };
  const loki = (args: readonly string[], input = ''): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
    spawnSync(process.execPath, [...lokiProgram, ...args], { cwd: project, env, input, encoding: 'utf8' });
  const ask = (action: object): { readonly status: number | null; readonly verdict: Readonly<Record<string, unknown>> } => {
    const { status, stdout } = loki(['hook', 'generic'], JSON.stringify(action));
    return { status, verdict: JSON.parse(stdout) };
  };

  before(() => {
    mkdirSync(project);
    assert.equal(loki(['init', '--yes']).status, 0);
  });

  test('allows, denies, and records both', () => {
    const allowed = ask({ kind: 'fs.write', file_path: 'src/a.js', content: 'export const one = 1;\n' });
    assert.deepEqual([allowed.status, allowed.verdict['decision']], [0, 'ALLOW']);
    const denied = ask({ kind: 'exec', command: 'git push --force' });
    assert.deepEqual([denied.status, denied.verdict['rule']], [3, 'no-force-push']);
    assert.equal(denied.verdict['audit_seq'], Number(allowed.verdict['audit_seq']) + 1);
  });

  test('answers what it cannot use with a verdict that is a no', () => {
    const { status, stdout, stderr } = loki(['hook', 'generic'], '{');
    assert.equal(status, 2);
    assert.equal(JSON.parse(stdout).allowed, false);
    assert.match(stderr, /^error: Cannot read the action: /);
  });

  test('asks for approval, with the parts that are loaded only then', () => {
    const action = { kind: 'exec', command: 'git reset --hard' };
    const first = ask(action);
    assert.deepEqual([first.status, first.verdict['decision']], [5, 'REQUIRE_APPROVAL']);
    assert.match(String(first.verdict['approval_id']), /^apr_/);
    assert.equal(ask(action).verdict['approval_id'], first.verdict['approval_id']);
    const { stdout } = loki(['approvals', '--json']);
    assert.ok(stdout.includes(String(first.verdict['approval_id'])), stdout);
  });

  test('records what became of an action', () => {
    const { status, verdict } = ask({ phase: 'post', kind: 'exec', command: 'git commit -m x', ref: 1, outcome: { ok: true, exit: 0 } });
    assert.deepEqual([status, verdict['reason']], [0, 'Recorded']);
    assert.match(readFileSync(join(project, '.loki', 'logs', 'agent-audit.jsonl'), 'utf8'), /cli_invoke/);
  });

  test('explains itself', () => {
    const { status, stdout } = loki(['hook', '--help']);
    assert.equal(status, 0);
    assert.match(stdout, /hook generic/);
    assert.match(loki(['hook', 'generic', '--help']).stdout, /^Usage: loki hook generic \[FLAGS\]$/m);
  });
});
