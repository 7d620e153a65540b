/** TOML is read as far as settings of agents need, tables are put in and taken out, and what is not understood is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { addPair, appendTables, readToml, removeTables, tomlText, tomlValue } from '../../lib/formats/toml.ts';

const sample = `# mine
model = "gpt" # inline
notify = ['a', "b\\n",
  3, # three
]
date = 2026-11-29 10:00:00Z
long = """
[not.a.table]
x = 1 """"
lit = '''it's'''
"a b".c = { d = true, "e.f" = [1, 2] }

[features]
hooks = false

[projects."/home/a b"]
trust_level = "trusted"

# about servers
[[servers]]
name = "x"
[[servers]]
name = "y"
`;

test('statements are found wherever they stand, and values with them', () => {
  const found = readToml(sample, 'a text');
  assert.equal(tomlValue(found, ['model']), 'gpt');
  assert.deepEqual(tomlValue(found, ['notify']), ['a', 'b\n', 3]);
  assert.equal(tomlValue(found, ['a b', 'c', 'd']), true);
  assert.equal(tomlValue(found, ['features', 'hooks']), false);
  assert.equal(tomlValue(found, ['projects', '/home/a b', 'trust_level']), 'trusted');
  assert.equal(tomlValue(found, ['lit']), 'it\'s');
  assert.equal(tomlValue(found, ['not', 'a', 'table', 'x']), undefined);
  assert.deepEqual(found.filter(({ kind }) => kind === 'table').map(({ path }) => path.join('/')), ['features', 'projects//home/a b', 'servers', 'servers']);
});

test('tables put at the end and taken out again leave the bytes as they were', () => {
  const table = `[hooks.state.${tomlText('/p/hooks.json:stop:0:0')}]\ntrusted_hash = "x"\n`;
  const isOurs = (path: readonly string[]): boolean => path[0] === 'hooks' && path[1] === 'state';
  for (const text of ['', sample, sample.replaceAll('\n', '\r\n'), `\ufeff${sample}`, 'a = 1\n']) {
    const more = appendTables(appendTables(text, table), table.replace('stop', 'start'));
    assert.equal(readToml(more, 'a text').length, readToml(text, 'a text').length + 4);
    assert.equal(removeTables(more, 'a text', isOurs), text);
  }
  const between = `[a]\nx = 1\n\n${table}\n# about b\n[b]\ny = 1\n`;
  assert.equal(removeTables(between, 'a text', isOurs), '[a]\nx = 1\n\n# about b\n[b]\ny = 1\n');
  assert.equal(removeTables(`${table}\n[b]\ny = 1\n`, 'a text', isOurs), '[b]\ny = 1\n');
  assert.equal(removeTables(appendTables('a = 1', table), 'a text', isOurs), 'a = 1\n');
});

test('a line is put below a header', () => {
  const text = '[features] # on\nx = 1\n';
  const [table] = readToml(text, 'a text');
  assert.ok(table !== undefined);
  assert.equal(addPair(text, table, 'hooks = true'), '[features] # on\nhooks = true\nx = 1\n');
  const [last] = readToml('[features]', 'a text');
  assert.ok(last !== undefined);
  assert.equal(addPair('[features]', last, 'hooks = true'), '[features]\nhooks = true\n');
});

test('what is not understood is refused with its place', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['a = ', /value is expected/], ['a', /= is expected/], ['[a', /\] is expected/], ['a = "x', /not closed/], ['a = """x', /not closed/], ['a = 1 b = 2', /end of the line/], ['a = [1, 2', /\] is expected/],
    ['= 1', /key is expected/], ['a = "\\q"', /escape/], ['a = 1\na = 2', /"a"\] is there twice \(line 2, column 1\)/], ['[a]\n[a]', /is there twice/], [`a = ${'['.repeat(40)}`, /nests deeper/], ['a = {b = 1, b = 2}', /twice/],
  ];
  for (const [text, words] of wrong) assert.throws(() => readToml(text, 'a text'), (error) => error instanceof LokiError && error.code === 'config.invalid' && words.test(error.message), text);
});
