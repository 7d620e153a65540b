/**
 * The joiner, and `loki hook` through the file it makes. Only a build has that file: tests that run unbuilt send the same
 * actions through the plain modules, which must give the same answers.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { treeRoot } from '../support/child.ts';
import { fixture } from '../support/root.ts';
import { lokiProgram } from '../support/story.ts';

interface Range { readonly kind: string; readonly start: number; readonly end: number }
type Join = (entry: string, read: (name: string) => string) => string;

const { joinModules }: { joinModules: Join } = await import(pathToFileURL(fixture('support', 'join.mjs')).href);
const { scanCode, codeOnly }: { scanCode: (text: string) => readonly Range[]; codeOnly: (text: string, ranges: readonly Range[]) => string } = await import(pathToFileURL(fixture('support', 'scan-code.mjs')).href);

const built = fileURLToPath(import.meta.url).endsWith('.js');
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'loki-joined-')));
after(() => rmSync(scratch, { recursive: true }));

/** Joins modules given by name, with `a.js` as the entry. */
function joined(files: Readonly<Record<string, string>>): string {
  return joinModules('a.js', (name) => files[name] ?? assert.fail(`${name} was asked for`));
}

let count = 0;
/** Runs a joined text as a module and gives its exports. */
async function run(files: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  count += 1;
  const path = join(scratch, `joined-${count}.mjs`);
  writeFileSync(path, joined(files));
  const exported: Record<string, unknown> = await import(pathToFileURL(path).href);
  return { ...exported };
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
    assert.doesNotMatch(joined(files), /[^\0-\x7f]/);
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
    mkdirSync(join(scratch, 'cli'), { recursive: true });
    const text = joinModules('cli/a.js', (name) => (name === 'cli/a.js' ? "export { here } from '../lib/deep/b.js';\n" : 'export const here = import.meta.url;\n'));
    writeFileSync(join(scratch, 'cli', 'a.mjs'), text);
    const { here }: { here: string } = await import(pathToFileURL(join(scratch, 'cli', 'a.mjs')).href);
    assert.equal(fileURLToPath(here), join(scratch, 'lib', 'deep', 'b.js'));
  });

  test('gives the same text for the same modules', () => {
    const files = { 'a.js': "import { b } from './b.js';\nexport const a = b;\n", 'b.js': 'export const b = 1;\n' };
    assert.equal(joined(files), joined(files));
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

test('the joined file imports nothing and holds what the build made of each module', (t) => {
  if (!built) return t.diagnostic('unbuilt: there is no joined file');
  const text = readFileSync(join(treeRoot, 'cli', 'hook-entry.js'), 'utf8');
  const code = codeOnly(text, scanCode(text));
  assert.deepEqual([...code.matchAll(/(?<![\w$.#])(?:import|export)(?![\w$])[\w.]*/g)].map(([word]) => word), ['import.meta.url', 'export']);
  const read = (name: string): string => readFileSync(join(treeRoot, name), 'utf8');
  const parts = joinModules('cli/commands/hook-generic.js', read).split(/(?=^\/\/ (?:cli|lib)\/)/m).slice(1, -1);
  assert.ok(parts.length > 90, `found ${parts.length}`);
  return assert.deepEqual(parts.filter((part) => !text.includes(part.slice(part.indexOf('{\n'), part.lastIndexOf('\n}')))), []);
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
