import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import { parseYaml } from '../../../lib/formats/yaml/parse.ts';
import { linear } from '../../support/growth.ts';
import { times } from '../../support/long.ts';

/** Texts of about n characters that tempt a reader to go over the same place many times. */
const shapes: Readonly<Record<string, (n: number) => string>> = {
  'open brackets': (n) => '['.repeat(n),
  'dashes on a line': (n) => '- '.repeat(n / 2),
  'keys on a line': (n) => 'a: '.repeat(n / 3),
  'escaped backslashes': (n) => `"${'\\\\'.repeat(n / 2)}"`,
  'doubled quotes': (n) => `'${"''".repeat(n / 2)}'`,
  'a long plain text': (n) => 'x '.repeat(n / 2),
  'a plain text of many lines': (n) => 'x\n'.repeat(n / 2),
  'a plain text of colons': (n) => ':'.repeat(n),
  'many keys': (n) => Array.from({ length: n / 10 }, (_, at) => `k${at}: v\n`).join(''),
  'many keys in braces': (n) => `{${Array.from({ length: n / 10 }, (_, at) => `k${at}: v`).join(',')}}`,
  'many entries': (n) => '- a\n'.repeat(n / 4),
  'many pairs in brackets': (n) => `[${'a: b,'.repeat(n / 5)}]`,
  'blank lines': (n) => `a: b${'\n'.repeat(n)}c: d`,
  'blank lines below 60 levels': (n) => `${Array.from({ length: 60 }, (_, at) => `${' '.repeat(at)}k:\n`).join('')}${'\n'.repeat(n)}z: 1`,
  'blank lines in quotes': (n) => `"a${'\n'.repeat(n)}b"`,
  'blank lines in a block text': (n) => `a: |\n${'   \n'.repeat(n / 4)}`,
  'comments': (n) => `a: b\n${'  # c\n'.repeat(n / 6)}d: e`,
  'a block text': (n) => `a: >\n${'  b\n\n'.repeat(n / 5)}`,
  'deep indentation': (n) => `a:\n${' '.repeat(n)}b: 1`,
  'tabs': (n) => `${'\t'.repeat(n)}a`,
  'digits': (n) => '9'.repeat(n),
  'carriage returns': (n) => `${'\r'.repeat(n)}a`,
  'characters for quotes only': (n) => `- "\u007f"\n${'- a #b\n'.repeat(n / 7)}`,
  'numbers that are not kept': (n) => `[${'1e999,'.repeat(n / 6)}x]`,
};

/** Reads the text to a value or a refusal. */
function read(text: string): void {
  try {
    parseYaml(text);
  } catch (error) {
    assert.ok(error instanceof LokiError && error.code === 'yaml.invalid', String(error));
  }
}

for (const [name, make] of Object.entries(shapes)) {
  test(`time grows with the length: ${name}`, () => {
    const texts = new Map([25_000, 100_000].map((size) => [size, make(size)]));
    linear((size) => read(texts.get(size) ?? ''), 25_000);
  });
}

test('a great deal of any of these shapes ends in a value or a refusal', () => {
  const size = 1024 * times(1024, 200);
  for (const make of Object.values(shapes)) read(make(size).slice(0, size));
});
