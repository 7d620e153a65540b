/** Changing a settings file keeps every byte that the change is not about; taking out what was put in gives the bytes before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import { addItem, addMember, removeAt, replaceValue } from '../../../lib/formats/jsonc/edit.ts';
import { nodeAt, parseJsonc, valueOf } from '../../../lib/formats/jsonc/parse.ts';

const value = (text: string): JsonValue => valueOf(parseJsonc(text, 'a text').root);
const entry: JsonValue = { hooks: [{ command: 'x', timeout: 5 }] };

/** Objects as people write them. */
const objects: readonly string[] = [
  '{}', '{"a":1}', '{ "a": 1 }', '{"a": 1, "b": [1, 2]}', '{\n  "a": 1\n}', '{\n  "a": 1\n}\n', '{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n', '{\r\n    "a": 1,\r\n    "b": 2\r\n}\r\n',
  '\ufeff{\n  "a": 1\n}\n', '{\n  "a": 1, // why\n  "b": 2 // because\n}\n', '{\n  // first\n  "a": 1 /* one */\n  // last\n}\n', '{\n  "a": 1,\n}\n', '{\n  "a": 1, // trailing\n}', '// above\n{"a": 1}// below\n',
  '{"a": "}, // no end \\" of it"}', '{\n  "a": 1\n\n\n}\n', '{"a": 1, // one\n"b": 2}', '{"a": 1 // one\n}',
];

test('a member put into an object and taken out again leaves the bytes as they were', () => {
  for (const text of objects) {
    const more = addMember(text, [], 'hooks', entry);
    assert.deepEqual(value(more), { ...Object(value(text)), hooks: entry }, text);
    assert.equal(removeAt(more, ['hooks']), text);
    const two = addMember(more, [], 'z', true);
    assert.equal(removeAt(removeAt(two, ['hooks']), ['z']), text, two);
  }
});

test('the same for items of arrays, alone, first, between and last', () => {
  for (const list of ['[]', '[1]', '[1, 2]', '[\n    1,\n    2\n  ]', '[\n    1, // one\n    2 // two\n  ]', '[\n    1,\n  ]']) {
    const text = `{\n  "list": ${list}\n}\n`;
    const more = addItem(text, ['list'], entry);
    assert.deepEqual(value(more), { list: [...Array.from(Object.values(Object(value(list)))), entry] });
    const at = Object.keys(Object(value(list))).length;
    assert.equal(removeAt(more, ['list', at]), text, more);
    assert.equal(removeAt(removeAt(addItem(more, ['list'], 'z'), ['list', at]), ['list', at]), text);
  }
  assert.equal(removeAt('{"a": [1, 2, 3]}', ['a', 1]), '{"a": [1, 3]}');
  assert.equal(removeAt('{"a": [1, 2, 3]}', ['a', 0]), '{"a": [ 2, 3]}');
});

test('what is put in is written in the manner of the text around it', () => {
  assert.equal(addMember('{}', [], 'a', { b: 1 }), '{\n  "a": {\n    "b": 1\n  }\n}');
  assert.equal(addMember('{\n\t"x": 1\n}\n', [], 'a', { b: 1 }), '{\n\t"x": 1,\n\t"a": {\n\t\t"b": 1\n\t}\n}\n');
  assert.equal(addMember('{\r\n    "x": 1\r\n}', [], 'a', [1]), '{\r\n    "x": 1,\r\n    "a": [\r\n        1\r\n    ]\r\n}');
  assert.equal(addMember('{"x":1}', [], 'a', { b: 1 }), '{"x":1,"a":{"b":1}}');
  assert.equal(replaceValue('{\n  "a": {\n    "b": 1 // two\n  },\n  "c": 3\n}', ['a', 'b'], [2]), '{\n  "a": {\n    "b": [\n      2\n    ] // two\n  },\n  "c": 3\n}');
});

test('a comment stays with what it is about', () => {
  assert.equal(addMember('{\n  "a": 1 // one\n}', [], 'b', 2), '{\n  "a": 1, // one\n  "b": 2\n}');
  assert.equal(removeAt('{\n  "a": 1, // one\n  "b": 2\n}', ['b']), '{\n  "a": 1 // one\n}');
  assert.equal(removeAt('{\n  "a": 1,\n  // two\n  "b": 2, // 2\n  "c": 3\n}', ['b']), '{\n  "a": 1,\n  // two // 2\n  "c": 3\n}');
});

test('what is no JSON, or means two things, is refused with its place', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /there is nothing in it/], ['  // only words\n', /there is nothing in it/], ['{"a":1', /a comma or } is expected here \(line 1, column 7\)/], ['{"a":1}}', /something follows its end/],
    ['{\n  "a": 1,\n  "a": 2\n}', /the member "a" is there twice \(line 3, column 3\)/], ['{"a":1,"\\u0061":2}', /the member "a" is there twice/], ['{a:1}', /name is expected/], ['{"a" 1}', /colon/],
    ['{"a":tru}', /value is expected/], ['{"a":1.}', /value is expected/], ['{"a":01}', /value is expected/], ['{"a":"\n"}', /not closed/], ['{"a":"\\x"}', /escape/], ['/* open', /comment is not closed/],
    ['['.repeat(70), /nests deeper/], ['{,}', /name is expected/], ['[1,,2]', /value is expected/], ['\u0000{}', /value is expected/],
  ];
  for (const [text, words] of wrong) assert.throws(() => parseJsonc(text, 'a text'), (error) => error instanceof LokiError && error.code === 'json.invalid' && words.test(error.message), text);
  assert.equal(parseJsonc('{"a":1,}', 'a text').isStrict, false);
  assert.equal(parseJsonc('{"a":1}', 'a text').isStrict, true);
  assert.equal(nodeAt(parseJsonc('{"a":[1]}', 'a text').root, ['a', 'b']), undefined);
  assert.throws(() => addMember('[]', [], 'a', 1), { code: 'internal' });
  assert.throws(() => removeAt('{}', ['a']), { code: 'internal' });
});
