import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml, parseYamlNode, valueOf } from '../../../lib/formats/yaml/parse.ts';

/** Reads each text and compares the value. */
function reads(name: string, cases: readonly (readonly [text: string, value: unknown])[]): void {
  test(name, () => {
    for (const [text, value] of cases) assert.deepStrictEqual(parseYaml(text), value, JSON.stringify(text));
  });
}

reads('an empty text, comments and markers alone are null', [
  ['', null], ['\n\n', null], ['# c\n', null], ['---\n', null], ['---\n...\n', null], ['...\n', null], ['\ufeff', null], ['--- # c\n# d\n', null],
]);

reads('one document may stand between markers', [
  ['---\na: 1\n...\n', { a: 1 }], ['--- a\n', 'a'], ['---\ta\n', 'a'], ['a\n...\n# c\n...\n', 'a'], ['# c\n---\n- a\n', ['a']], ['--- |\n  a\n...\n', 'a\n'], ['---a\nb', '---a b'],
]);

reads('core schema: null and booleans are exactly the words of YAML 1.2', [
  ['[null, Null, NULL, ~]', [null, null, null, null]], ['a:\nb: ', { a: null, b: null }],
  ['[true, True, TRUE, false, False, FALSE]', [true, true, true, false, false, false]],
  ['[nULL, tRUE, yes, Yes, no, NO, on, Off, y, n]', ['nULL', 'tRUE', 'yes', 'Yes', 'no', 'NO', 'on', 'Off', 'y', 'n']],
]);

reads('core schema: integers', [
  ['[0, 7, -19, +3, 010, -0, 0o17, 0x1F, 0xff]', [0, 7, -19, 3, 10, -0, 15, 31, 255]],
  ['[1_000, 0o8, 0O7, 0b1, -0x1, 0x, 12:30:45, 0o, 1e, "7"]', ['1_000', '0o8', '0O7', '0b1', '-0x1', '0x', '12:30:45', '0o', '1e', '7']],
  ['- 9007199254740991\n- -9007199254740991\n- 9007199254740992\n- 100000000000000000000\n', [9007199254740991, -9007199254740991, 2 ** 53, 1e20]],
]);

reads('core schema: floats', [
  ['[1.5, -0.25, .5, 5., 1e3, 1.5E-3, +1.e2, 1.10]', [1.5, -0.25, 0.5, 5, 1000, 0.0015, 100, 1.1]],
  ['[.inf, .Inf, .INF, -.inf, +.INF, .nan, .NaN, .NAN]', [Infinity, Infinity, Infinity, -Infinity, Infinity, NaN, NaN, NaN]],
  ['[inf, nan, .iNF, -.nan, ., .e3, 1.2.3, 1e+, 2001-01-01, 2001-12-14t21:59:43.10-05:00]', ['inf', 'nan', '.iNF', '-.nan', '.', '.e3', '1.2.3', '1e+', '2001-01-01', '2001-12-14t21:59:43.10-05:00']],
]);

reads('a number that JSON rounds is rounded in a JSON text only', [
  ['{"id": 12345678901234567890, "n": 1e999}', { id: 12345678901234567890, n: Infinity }], ['1e400', Infinity],
  ['12345678901234567890: a', { '12345678901234567890': 'a' }], ['id: "12345678901234567890"', { id: '12345678901234567890' }],
]);

reads('block mappings', [
  ['a: 1\nb:\n  c: 2\n  d:\n    e: 3\nf: 4\n', { a: 1, b: { c: 2, d: { e: 3 } }, f: 4 }],
  ['  a: 1\n  b: 2\n', { a: 1, b: 2 }], ['a : 1\n"b c" : 2\n\'d\':\n 3\n', { a: 1, 'b c': 2, d: 3 }],
  ['a:\n\n  # c\n    \n  b: 1 # d\n', { a: { b: 1 } }], ['key ::: value\n', { 'key ::': 'value' }], ['a:b: c\n', { 'a:b': 'c' }],
  ['?a: 1\n-b: 2\n:c: 3\n', { '?a': 1, '-b': 2, ':c': 3 }], [': a\n', { '': 'a' }], ['a:\tb\nc:\t\n', { a: 'b', c: null }],
  ['1: a\n1.10: b\ntrue: c\n~: d\n', { 1: 'a', '1.10': 'b', true: 'c', '~': 'd' }],
]);

reads('block sequences', [
  ['- a\n- b\n', ['a', 'b']], ['-\n- \n- # c\n', [null, null, null]], ['- - 1\n  - 2\n- - - 3\n', [[1, 2], [[3]]]],
  ['-\n  - a\n-   - b\n    - c\n', [['a'], ['b', 'c']]], ['- a: 1\n  b: 2\n-  c: 3\n   d: 4\n', [{ a: 1, b: 2 }, { c: 3, d: 4 }]],
  ['-1\n', -1], ['-a\n', '-a'], ['-\t-1\n', [-1]], ['- [a]\n-\n {b: c}\n', [['a'], { b: 'c' }]],
]);

reads('a sequence may stand under its key', [
  ['a:\n- b\n- c\nd: e\n', { a: ['b', 'c'], d: 'e' }], ['- a:\n  - b\n  c:\n  - d\n', [{ a: ['b'], c: ['d'] }]],
  ['a: # c\n\n- b:\n  - c\n', { a: [{ b: ['c'] }] }], ['a:\nb:\n- c\n', { a: null, b: ['c'] }],
]);

reads('plain texts: indicators inside, comments after, several lines folded', [
  ['a: b#c d # e\n', { a: 'b#c d' }], ['a: http://x/y?z=1#f\n', { a: 'http://x/y?z=1#f' }], ['a: b, [c] {d}\n', { a: 'b, [c] {d}' }],
  ['a: it\'s "so"\n', { a: 'it\'s "so"' }], ['a: -b ?c :d\n', { a: '-b ?c :d' }], ['a: b\n  c\n\n\n  d\ne: f', { a: 'b c\n\nd', e: 'f' }],
  ['a\n- b\n? c\n&d\n', 'a - b ? c &d'], ['- a\n  b\n- c', ['a b', 'c']], ['a: b \t \n\t\nc: d\t#e\n', { a: 'b', c: 'd' }],
]);

reads('double quotes: every escape', [
  ['"\\0\\a\\b\\t\\n\\v\\f\\r\\e\\ \\"\\/\\\\\\N\\_\\L\\P"', '\0\x07\b\t\n\v\f\r\x1b "/\\\x85\xa0\u2028\u2029'], ['"\\x41\\u00e9\\U0001F600\\\t"', 'Aé😀\t'],
  ['"\\ud83d\\ude00"', '😀'], ['"\\ud83d"', '\ud83d'], ['"a\tb"', 'a\tb'], ['"# : - [ { \' ,"', "# : - [ { ' ,"], ['"\u007f\u0085\ufeff\uffff"', '\u007f\u0085\ufeff\uffff'],
]);

reads('double quotes: several lines', [
  ['"a\n b  \n  c"', 'a b c'], ['"a \n\n\n b"', 'a\n\nb'], ['" a\n "', ' a '], ['"\n  a\n"', ' a '], ['"a  \\\n   b"', 'a  b'], ['"a\\\n\n  b"', 'a\nb'], ['"a\\\n  \\  b"', 'a  b'],
  ['"a\\t\n  b"', 'a\t b'], ['a: "b\n  \t c"\n', { a: 'b c' }],
]);

reads('single quotes: doubled quotes, no escapes, several lines', [
  ["'it''s'", "it's"], ["''", ''], ["''''", "'"], ["'\\n \\'", '\\n \\'], ["'a\n  b\n\n  c '", 'a b\nc '], ["'a: b': 'c # d'", { 'a: b': 'c # d' }],
]);

reads('literal blocks', [
  ['a: |\n  b\n   c\n\n  d\n', { a: 'b\n c\n\nd\n' }], ['a: |-\n  b\n\n\nc: 1', { a: 'b', c: 1 }], ['a: |+\n  b\n\n\nc: 1', { a: 'b\n\n\n', c: 1 }], ['a: |\n  b\n\n\n', { a: 'b\n' }],
  ['a: |2\n   b\n  c\n', { a: ' b\nc\n' }], ['- |1-\n  b\n- |+2\n  c\n\n', [' b', 'c\n\n']], ['a: |\nb: |-\nc: |+\n\nd: 1', { a: '', b: '', c: '\n', d: 1 }],
  ['a: | # c\n  b # c\n  # d\n # e\nf: 1', { a: 'b # c\n# d\n', f: 1 }], ['|\n a\n', 'a\n'], ['--- |\na\nb\n', 'a\nb\n'], ['--- |1-\n', ''], ['a: |\n \tb\n', { a: '\tb\n' }],
  ['a: |\n  b\n    ', { a: 'b\n  \n' }], ['- |\n b\n- c', ['b\n', 'c']], ['a: |\n  b: [c\n  "\n', { a: 'b: [c\n"\n' }], ['a: |\n  b', { a: 'b\n' }],
]);

reads('folded blocks', [
  ['a: >\n  b\n  c\n\n  d\n', { a: 'b c\nd\n' }], ['>-\n a\n b\n', 'a b'], ['>\n a\n\n\n b\n', 'a\n\nb\n'], ['>\n a\n  * b\n  * c\n d\n', 'a\n * b\n * c\nd\n'],
  ['>\n\n a\n\n  b\n\n c\n', '\na\n\n b\n\nc\n'], ['>\n a\n \tb\n c\n', 'a\n\tb\nc\n'], ['a: >+\n  b\n\nc: 1', { a: 'b\n\n', c: 1 }], ['a: >2-\n    b\n   c\n  d\n', { a: '  b\n c\nd' }],
]);

reads('flow collections', [
  ['[]', []], ['{}', {}], ['[a, "b", \'c\', 1, [d], {e: f}, ]', ['a', 'b', 'c', 1, ['d'], { e: 'f' }]], ['{a: 1, "b":2, \'c\' : 3, d, e: , "f":, }', { a: 1, b: 2, c: 3, d: null, e: null, f: null }],
  ['[a: 1, "b":2, : 3]', [{ a: 1 }, { b: 2 }, { '': 3 }]], ['{a:b, c::d, "e"::f}', { 'a:b': null, 'c::d': null, e: ':f' }], ['[a b, c#d, -1, -e, ?f, :g, http://h]', ['a b', 'c#d', -1, '-e', '?f', ':g', 'http://h']],
  ['[\na,\n\n# c\n b # d\n, c\n]', ['a', 'b', 'c']], ['{a\n b: c\n d}', { 'a b': 'c d' }], ['{"a"\n:\nb}', { a: 'b' }], ['[<<, =]', ['<<', '=']], ['{"<<": 1}', { '<<': 1 }],
  ['\t[\n\t1,\n\t2\n\t]\n', [1, 2]], ['a: [\n  b,\n  c\n]\nd: {\n  e: f\n}\n', { a: ['b', 'c'], d: { e: 'f' } }], ['- {a: [b, {c: d}]}\n', [{ a: ['b', { c: 'd' }] }]],
]);

reads('line breaks may be CR LF or CR, and a byte order mark may come first', [
  ['\ufeffa: 1\r\nb:\r\n- c\r\n', { a: 1, b: ['c'] }], ['a: |\r\n  b\r\n  c\r\n', { a: 'b\nc\n' }], ['a: 1\rb: "c\r\r  d"\r', { a: 1, b: 'c\nd' }], ['a: \u2028b\u0085c\n', { a: '\u2028b\u0085c' }],
]);

test('64 levels are read, and a key may have 1024 characters, more in braces', () => {
  assert.equal(JSON.stringify(parseYaml('['.repeat(64) + ']'.repeat(64))), '['.repeat(64) + ']'.repeat(64));
  assert.equal(JSON.stringify(parseYaml(`${'- '.repeat(64)}1`)), `${'['.repeat(64)}1${']'.repeat(64)}`);
  const key = '😀'.repeat(1024);
  assert.deepEqual(parseYaml(`${key}: 1`), { [key]: 1 });
  const long = 'k'.repeat(5000);
  assert.deepEqual(parseYaml(`{"${long}": 1}`), { [long]: 1 });
});

test('keys from outside cannot reach a prototype', () => {
  for (const text of ['__proto__: {polluted: 1}\nconstructor: 2\ntoString: 3\n', '{"__proto__": {"polluted": 1}, "constructor": 2, "toString": 3}']) {
    const value = parseYaml(text);
    assert.deepStrictEqual(value, JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "toString": 3}'));
    assert.ok(typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'));
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal('polluted' in {}, false);
  }
});

test('the tree gives each node its place, its style and what was written', () => {
  const root = parseYamlNode('# c\nversion: 1.10\nrules:\n  - {name: "a", on: no}\n  -\nnote: |\n  x\n');
  assert.deepEqual(root, {
    kind: 'map', line: 2, column: 1,
    entries: [
      { key: scalar('version', 2, 1), value: scalar('1.10', 2, 10, 1.1) },
      {
        key: scalar('rules', 3, 1),
        value: {
          kind: 'seq', line: 4, column: 3,
          items: [
            {
              kind: 'map', line: 4, column: 5,
              entries: [
                { key: scalar('name', 4, 6), value: { ...scalar('a', 4, 12), style: 'double' } },
                { key: scalar('on', 4, 17), value: scalar('no', 4, 21) },
              ],
            },
            scalar('', 5, 4, null),
          ],
        },
      },
      { key: scalar('note', 6, 1), value: { ...scalar('x\n', 6, 7), style: 'literal' } },
    ],
  });
  assert.deepEqual(valueOf(root), { version: 1.1, rules: [{ name: 'a', on: 'no' }, null], note: 'x\n' });
});

function scalar(text: string, line: number, column: number, value: string | number | boolean | null = text): object {
  return { kind: 'scalar', value, text, style: 'plain', line, column };
}
