/** The joiner of the library's entries, and the files that it made of `loki-enterprise/telemetry`. Only a build has those: unbuilt, and after `--plain`, tests use the modules themselves. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, test, type TestContext } from 'node:test';
import { treeRoot } from '../support/child.ts';
import { fixture } from '../support/root.ts';

interface Joined { readonly first: string; readonly later: string }
const { joinLibrary, laterName }: { joinLibrary: (entry: string, read: (name: string) => string) => Joined; laterName: (entry: string) => string } = await import(pathToFileURL(fixture('support', 'join-library.mjs')).href);

/** Joins modules given by name, with `lib/entry/a.js` as the entry. */
function joined(files: Readonly<Record<string, string>>): Joined {
  return joinLibrary('lib/entry/a.js', (name) => files[name] ?? assert.fail(`${name} was asked for`));
}

const files = {
  'lib/entry/a.js': "/** What is public. */\nexport { order, isFault, later, here } from '../b.js';\nexport { plus } from '../c.js';\n",
  'lib/b.js': "import { Fault } from './fault.js';\nexport const order = ['b'];\nexport function isFault(value) { return value instanceof Fault; }\nexport async function later() { return (await import('./later.js')).fault(); }\nexport const here = import.meta.url;\n",
  'lib/c.js': "import { add } from './add.js';\nexport const plus = (a, b) => add(a, b);\n",
  'lib/add.js': "import { order } from './b.js';\norder.push('add');\nexport function add(a, b) { return a + b; }\n",
  'lib/fault.js': 'export class Fault extends Error {\n    code = 1;\n}\n',
  'lib/later.js': "import { Fault } from './fault.js';\nimport { order } from './b.js';\norder.push('later');\nexport function fault() { return new Fault('…'); }\n",
};

interface Exports { readonly order: readonly string[]; readonly here: string; isFault(value: unknown): boolean; later(): Promise<unknown>; plus(a: number, b: number): number }

/** Writes both files as they would lie in dist/, and gives the path of the first. */
function write(t: TestContext, { first, later }: Joined): string {
  const root = mkdtempSync(join(tmpdir(), 'loki-joined-entry-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'lib/entry'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(join(root, 'lib/entry/a.js'), first);
  writeFileSync(join(root, 'lib/entry/a-later.js'), later);
  return join(root, 'lib/entry/a.js');
}

describe('the joiner of an entry', () => {
  test('runs each module once, and when it is needed; what is imported later sees the same classes and values', async (t) => {
    const path = write(t, joined(files));
    const { order, isFault, later, plus, here }: Exports = await import(pathToFileURL(path).href);
    assert.deepEqual(order, ['b']);
    assert.equal(fileURLToPath(here), join(dirname(dirname(path)), 'b.js'));
    assert.deepEqual([plus(1, 2), plus(2, 2), order], [3, 4, ['b', 'add']]);
    assert.deepEqual((await Promise.all([later(), later()])).map(isFault), [true, true]);
    assert.deepEqual(order, ['b', 'add', 'later']);
  });

  test('rejects what is imported later when its file is gone, and gives it once the file is back', async (t) => {
    const { first, later: text } = joined(files);
    const path = write(t, { first, later: text });
    rmSync(join(dirname(path), 'a-later.js'));
    const { later, isFault }: Exports = await import(pathToFileURL(path).href);
    await assert.rejects(later(), { code: 'ERR_MODULE_NOT_FOUND' });
    writeFileSync(join(dirname(path), 'a-later.js'), text);
    assert.equal(isFault(await later()), true);
  });

  test('refuses an entry that says more than what it exports, and modules that it does not understand', () => {
    for (const more of ['const a = 1;\n', "import { plus } from '../c.js';\n", "export { plus as add } from '../c.js';\n", "export * from '../c.js';\n", 'export const a = 1;\n']) {
      assert.throws(() => joined({ ...files, 'lib/entry/a.js': files['lib/entry/a.js'] + more }), /Cannot join lib\/entry\/a\.js: it says more than what it exports: "/);
    }
    assert.throws(() => joined({ ...files, 'lib/c.js': 'export const minus = 1;\n' }), /Cannot join lib\/entry\/a\.js: lib\/c\.js exports no "plus"/);
    assert.throws(() => joined({ ...files, 'lib/c.js': 'export const plus = 1, $modules = 2;\n' }), /"\$modules" is a name of the joined file/);
  });

  test('gives the same text for the same modules', () => {
    assert.deepEqual(joined(files), joined(files));
  });
});

const entry = 'lib/entry/telemetry.js';
const laterPath = join(treeRoot, dirname(entry), laterName(entry));

test('the joined entry is what the joiner makes of the modules, and imports nothing but its second file', (t) => {
  if (!existsSync(laterPath)) return t.diagnostic('unbuilt or plain: there are no joined files');
  const first = readFileSync(join(treeRoot, entry), 'utf8');
  const later = readFileSync(laterPath, 'utf8');
  // In its place stood the module that says what is exported; the same is said at the end.
  const exported = [...first.matchAll(/^export const \{ (.+) \} = \$load\('lib\/(.+)'\);$/gm)].map(([, names, path]) => `export { ${names} } from '../${path}';\n`).join('');
  const made = joinLibrary(entry, (name) => (name === entry ? exported : readFileSync(join(treeRoot, name), 'utf8')));
  assert.ok(made.first === first && made.later === later, 'run the build again');
  assert.deepEqual([...(first + later).matchAll(/^import\b.*|\bimport\(.*?\)/gm)].map(String), ["import('./telemetry-later.js')"]);
  // Each module stands in one of them.
  const names = [...(first + later).matchAll(/^\/\/ (lib\/\S+\.js)$/gm)].map(([, name]) => name);
  return assert.equal(new Set(names).size, names.length);
});
