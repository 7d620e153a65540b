import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import { parseYaml } from '../../../lib/formats/yaml/parse.ts';

function refusal(text: string, filename?: string): LokiError {
  try {
    parseYaml(text, filename === undefined ? {} : { filename });
  } catch (error) {
    assert.ok(error instanceof LokiError, String(error));
    return error;
  }
  return assert.fail(`accepted: ${JSON.stringify(text.slice(0, 200))}`);
}

/** What must be refused: name, text, line, column, message. */
const table: readonly (readonly [name: string, text: string, line: number, column: number, message: string])[] = [
  ['an anchor', 'a: &x 1\n', 1, 4, 'anchors are not supported'],
  ['an anchor before a key', 'a: 1\n&x b: 2\n', 2, 1, 'anchors are not supported'],
  ['an alias', 'a: [1, *x]\n', 1, 8, 'aliases are not supported'],
  ['a tag', '- !!str 1\n', 1, 3, 'tags are not supported'],
  ['a tag alone', 'a: !\n', 1, 4, 'tags are not supported'],
  ['a directive', '%YAML 1.2\n---\na: 1\n', 1, 1, 'directives are not supported'],
  ['a directive behind comments', '# c\n%TAG ! x\n---\n', 2, 1, 'directives are not supported'],
  ['a directive in a document', 'a: 1\n%YAML 1.2\n', 2, 1, 'directives are not supported'],
  ['a merge key', 'b: 1\n<<: {a: 1}\n', 2, 1, 'merge keys are not supported'],
  ['a merge key in braces', '{b: 1, <<: {a: 1}}', 1, 8, 'merge keys are not supported'],
  ['a complex key', '? a\n: b\n', 1, 1, 'complex keys ("? ") are not supported'],
  ['a complex key later', 'a: 1\n? b\n', 2, 1, 'complex keys ("? ") are not supported'],
  ['a complex key in braces', '{? a : b}', 1, 2, 'complex keys ("? ") are not supported'],
  ['a list as a key', '[a]: b\n', 1, 1, 'a mapping or sequence as a key is not supported'],
  ['a list as a key in braces', '{[a]: b}', 1, 2, 'a mapping or sequence as a key is not supported'],
  ['a mapping as a key in brackets', '- [{a: b}: c]', 1, 4, 'a mapping or sequence as a key is not supported'],
  ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 3, 1, 'the key "a" is already given in line 1'],
  ['a duplicate key in other quotes', '{a: 1, "a": 2}', 1, 8, 'the key "a" is already given in line 1'],
  ['a duplicate key by escapes', '"\\x61": 1\n\'a\': 2\n', 2, 1, 'the key "a" is already given in line 1'],
  ['a duplicate __proto__', '{"__proto__": 1, "__proto__": 2}', 1, 18, 'the key "__proto__" is already given in line 1'],
  ['two spellings of one number as keys', '1: a\n0x1: b\n', 2, 1, 'the key "0x1" means the same as "1" in line 1'],
  ['two spellings of null as keys', '~: a\nnull: b\n', 2, 1, 'the key "null" means the same as "~" in line 1'],
  ['a second document', 'a: 1\n---\nb: 2\n', 2, 1, 'a second document starts here'],
  ['an empty second document', '---\n---\n', 2, 1, 'a second document starts here'],
  ['a document behind the end marker', 'a\n...\nb\n', 3, 1, 'a second document starts here'],
  ['text behind the end marker', 'a\n... b\n', 2, 5, 'text follows the document end marker "..." on the same line'],
  ['a tab before a key', 'a: 1\n\tb: 2\n', 2, 1, 'a tab is used as indentation'],
  ['a tab before a nested key', 'a:\n\tb: 2\n', 2, 1, 'a tab is used as indentation'],
  ['a tab behind spaces before a key', 'a:\n  b: 1\n  \tc: 2\n', 3, 3, 'a tab is used as indentation'],
  ['a tab before the first key', '\ta: 1\n', 1, 1, 'a tab is used as indentation'],
  ['a tab before an entry', 'a:\n\t- b\n', 2, 1, 'a tab is used as indentation'],
  ['a tab between dashes', '-\t- a\n', 1, 2, 'a tab is used as indentation'],
  ['a tab between a dash and a key', '- \ta: 1\n', 1, 3, 'a tab is used as indentation'],
  ['a tab in brackets', 'a: [\n\tb\n  ]\n', 2, 1, 'a tab is used as indentation'],
  ['a tab in quotes over lines', 'a: "b\n\tc"\n', 2, 1, 'a tab is used as indentation'],
  ['a tab on a blank line in quotes', 'a: "b\n\t\n  c"\n', 2, 1, 'a tab is used as indentation'],
  ['a tab before block text', 'a: |\n\tb\n', 2, 1, 'a tab is used as indentation'],
  ['an unknown escape', 'a: "\\d"\n', 1, 5, 'the escape \\d is unknown'],
  ['an escaped single quote', '"it\\\'s"', 1, 4, 'the escape \\\' is unknown'],
  ['an escaped letter beyond ASCII', '"\\é"', 1, 2, 'the escape after "\\" is unknown'],
  ['a short escape', '"\\x4"', 1, 2, 'the escape \\x needs 2 hexadecimal digits'],
  ['an escape that is not hexadecimal', '"\\u12G4"', 1, 2, 'the escape \\u needs 4 hexadecimal digits'],
  ['an escape beyond Unicode', '"\\U00110000"', 1, 2, 'the escape \\U00110000 is no Unicode character'],
  ['an escape for half of a character', '"\\U0000D800"', 1, 2, 'the escape \\U0000D800 is no Unicode character'],
  ['text after a closing quote', 'a: "b" c\n', 1, 8, 'text follows a quoted text on the same line'],
  ['text after a closing single quote', "a: 'b'c\n", 1, 7, 'text follows a quoted text on the same line'],
  ['two quoted texts', '"a" "b"', 1, 5, 'text follows a quoted text on the same line'],
  ['text after a bracket', 'a: [b] c\n', 1, 8, 'text follows a sequence on the same line'],
  ['a bracket too many', 'a: {b: c}}\n', 1, 10, 'text follows a mapping on the same line'],
  ['a comment stuck to a quote', 'a: "b"# c\n', 1, 7, 'a comment needs a space before "#"'],
  ['a comment stuck to a comma', '[a,#b\n]', 1, 4, 'a comment needs a space before "#"'],
  ['a quote not closed', 'a: "b\n', 1, 4, 'a quote is not closed'],
  ['a single quote not closed', "- 'it''s\n", 1, 3, 'a quote is not closed'],
  ['a quote that a less indented line ends', 'a: "b\nc: d"\n', 2, 1, 'the line is not indented enough to be inside the quotes of line 1'],
  ['a marker in quotes', '"a\n---\nb"', 2, 1, 'a document marker stands inside quotes'],
  ['a bracket not closed', 'a: [b, c\n', 1, 4, 'a bracket is not closed'],
  ['a brace not closed', '{a: {b: c}', 1, 1, 'a bracket is not closed'],
  ['a bracket that a less indented line ends', 'a: [b\nc: d\n', 2, 1, 'the line is not indented enough to be inside the bracket of line 1'],
  ['an inner bracket closed too far left', 'a: [[b\n], c]\n', 2, 1, 'the line is not indented enough to be inside the bracket of line 1'],
  ['a marker in brackets', '[a,\n---\n]', 2, 1, 'a document marker stands inside brackets'],
  ['a missing comma', '["a"\n"b"]', 2, 1, '"," or "]" is missing here'],
  ['a missing comma in braces', '{a: 1 b: 2}', 1, 8, '"," or "}" is missing here'],
  ['a wrong bracket', '[a}', 1, 3, '"," or "]" is missing here'],
  ['a leading comma', '[, a]', 1, 2, 'a value is missing before ","'],
  ['two commas', '[a,, b]', 1, 4, 'a value is missing before ","'],
  ['a key on the line before its colon in brackets', '["a"\n:b]', 2, 1, '"," or "]" is missing here'],
  ['a sequence entry in brackets', '[- a]', 1, 2, 'a sequence entry cannot start here'],
  ['two colons on a line', 'a: b: c\n', 1, 5, 'a mapping cannot start on the line of its key'],
  ['an entry on the line of its key', 'a: - b\n', 1, 4, 'a sequence cannot start on the line of its key'],
  ['a mapping on the line of the marker', '--- a: b\n', 1, 6, 'a mapping cannot start on the line of "---"'],
  ['a key indented under a value', 'a: b\n  c: d\n', 2, 3, 'this line goes on with the text of line 1, so it cannot hold a key'],
  ['a quoted key over lines', '"a\nb": c\n', 2, 1, 'this line goes on with the text of line 1, so it cannot hold a key'],
  ['a line between two levels', 'a:\n    b: 1\n  c: 2\n', 3, 3, 'the line starts at column 3, where nothing is open'],
  ['an entry between two levels', '- - a\n - b\n', 2, 2, 'the line starts at column 2, where nothing is open'],
  ['text behind a comment in a plain text', 'a: b # c\n  d\n', 2, 3, 'the line starts at column 3, where nothing is open'],
  ['a line without a colon', 'a: 1\nb\nc: 2\n', 2, 1, '":" is missing after a plain text'],
  ['a colon without a space', 'a: 1\nb:2\n', 2, 1, '":" is missing after a plain text'],
  ['an entry among keys', 'a: 1\n- b\n', 2, 1, 'a sequence entry stands where a key belongs'],
  ['a key among entries', '- a\nb: 1\n', 2, 1, 'the line belongs to nothing above it'],
  ['a reserved character', 'a: @b\n', 1, 4, 'a plain text cannot start with "@"'],
  ['a backtick', 'a: `b`\n', 1, 4, 'a plain text cannot start with "`"'],
  ['a percent sign', 'a: %b\n', 1, 4, 'a plain text cannot start with "%"'],
  ['a wrong block header', 'a: |0\n  b\n', 1, 5, 'a block text has a wrong header'],
  ['two digits in a block header', 'a: >12\n', 1, 6, 'a block text has a wrong header'],
  ['text in the line of a block header', 'a: | b\n', 1, 6, 'text follows the header of a block text'],
  ['a block text in brackets', '[|\n a\n]', 1, 2, 'a block text cannot start here'],
  ['blank lines wider than a block text', 'a: |\n    \n  b\n', 2, 3, 'a blank line before the block text has more spaces than its first line'],
  ['a digit for a block text at the top', '--- |2\n  a\n', 1, 5, 'an indentation indicator at the top level means different things to different programs'],
  ['kept line breaks with a torn last line', 'a: |+\n  b\n  ', 3, 1, 'a block text that keeps its last line breaks ends in spaces without one'],
  ['a control character', 'a: b\u0007\n', 1, 5, 'the control character U+0007 is not allowed'],
  ['a NUL in quotes', 'a:\n  - "\0"\n', 2, 6, 'the control character U+0000 is not allowed'],
  ['DEL outside quotes', 'a: b\u007f\n', 1, 5, 'the control character U+007F stands outside quotes'],
  ['a C1 control in a comment', 'a: b # \u009b\n', 1, 8, 'the control character U+009B stands outside quotes'],
  ['a C1 control in block text', 'a: |\n  b\n  \u0080\n', 3, 3, 'the control character U+0080 stands outside quotes'],
  ['a second byte order mark', 'a: 1\n\ufeffb: 2\n', 2, 1, 'a byte order mark stands outside quotes'],
  ['half of a character', '"a\ud83d"', 1, 3, 'half of a character (U+D83D) is not well-formed Unicode'],
  ['an integer that a double cannot hold', 'id: 9007199254740993\n', 1, 5, 'the number is too large to be kept exactly'],
  ['a hexadecimal integer too large', '- 0xFFFFFFFFFFFFFFFF\n', 1, 3, 'the number is too large to be kept exactly'],
  ['a float too large', 'a: 1e999\n', 1, 4, 'the number is too large to be kept exactly'],
  ['a key over 1024 characters', `${'k'.repeat(1025)}: 1\n`, 1, 1, 'a key is longer than 1024 characters'],
  ['lists 65 deep', '['.repeat(65) + ']'.repeat(65), 1, 65, 'the nesting is deeper than 64 levels'],
  ['dashes 65 deep', `${'- '.repeat(65)}a\n`, 1, 129, 'the nesting is deeper than 64 levels'],
  ['a mebibyte of brackets', '['.repeat(1024 * 1024), 1, 65, 'the nesting is deeper than 64 levels'],
];

for (const [name, text, line, column, message] of table) {
  test(`refuses ${name}`, () => {
    const error = refusal(text, 'x.yaml');
    assert.equal(error.code, 'yaml.invalid');
    const [first] = error.problems;
    assert.deepEqual({ line: error.line, column: error.column, message: first?.message }, { line, column, message });
    assert.equal(error.message, `Cannot read YAML "x.yaml": line ${line}, column ${column}: ${message}`);
    assert.equal(first?.file, 'x.yaml');
    assert.equal(first?.excerpt?.split('\n').length, 2);
    assert.match(first?.excerpt ?? '', /\^$/);
    assert.ok((first?.hint ?? '') !== '' && error.hint === first?.hint && !error.hint.endsWith('.'));
  });
}

test('an error shows the line and a caret below the column, tabs kept', () => {
  const error = refusal('a:\n  b:\tc: d\n');
  assert.equal(error.problems[0]?.excerpt, '  b:\tc: d\n    \t ^');
});

test('an error without a filename names none', () => {
  const error = refusal('a: *b');
  assert.equal(error.message, 'Cannot read YAML: line 1, column 4: aliases are not supported');
  assert.equal(Object.hasOwn(error.problems[0] ?? {}, 'file'), false);
});

test('a filename with a quote or a line break cannot forge a message', () => {
  assert.match(refusal('a: *b', 'x"\n.yaml').message, /^Cannot read YAML "x\\"\\n\.yaml": line 1/);
});

test('all duplicate keys, merge keys and large numbers are reported at once, in the order of the file', () => {
  const error = refusal('a: 1\na: 2\n<<: {b: 1}\nc: {d: 1, d: 2}\n', 'x.yaml');
  assert.deepEqual(error.problems.map((problem) => [problem.line, problem.column]), [[2, 1], [3, 1], [4, 11]]);
  assert.equal(error.message, 'Cannot read YAML "x.yaml": line 2, column 1: the key "a" is already given in line 1 (and 2 more)');
});

test('a mistake that stops the reading is reported with those before it', () => {
  const error = refusal('a: 1\na: 2\nb: "\\q"\n');
  assert.deepEqual(error.problems.map((problem) => problem.line), [2, 3]);
});

test('at most 20 mistakes are reported', () => {
  assert.equal(refusal('a: 1\n'.repeat(1000)).problems.length, 20);
});

test('a text above one mebibyte is refused before it is read, counted in UTF-8 bytes', () => {
  const most = 1024 * 1024;
  assert.equal(parseYaml('x'.repeat(most)), 'x'.repeat(most));
  for (const text of ['x'.repeat(most + 1), 'é'.repeat(most / 2 + 1), '☃'.repeat(349_526), '😀'.repeat(most / 4 + 1)]) {
    const error = refusal(text, 'x.yaml');
    assert.equal(error.message, 'Cannot read YAML "x.yaml": it is larger than 1048576 bytes');
    assert.equal(error.line, undefined);
  }
  assert.equal(parseYaml('😀'.repeat(most / 4)), '😀'.repeat(most / 4));
});

test('what is not a string is refused by type', () => {
  const untyped: (text: never) => unknown = parseYaml;
  for (const [value, type] of [[undefined, 'of type undefined'], [null, 'null'], [1, 'of type number'], [{}, 'of type object']] as const) {
    assert.throws(() => untyped(value as never), { code: 'yaml.invalid', message: `Cannot read YAML: it is ${type}, not a text` });
  }
});
