/** The look before the tables: it lets nothing pass by that the tables would find, and harmless texts do not get beyond it. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { anchors } from '../../../lib/policy/scan/anchors.ts';
import { detectors, hitsIn } from '../../../lib/policy/scan/detectors.ts';
import { Prefilter } from '../../../lib/policy/scan/prefilter.ts';
import { longestScreened, mayHoldSecret } from '../../../lib/policy/scan/screen.ts';
import type { secretHits as SecretHits } from '../../../lib/policy/scan/secrets.ts';
import { vendors } from '../../../lib/policy/scan/vendors.ts';
import { packageRoot } from '../../support/root.ts';
import { assignments, expand } from '../../support/secret-texts.ts';

const rules = vendors.flatMap((vendor) => vendor.rules);
const texts = [...new Set(detectors().map(({ text }) => text))].sort();

test('anchors.ts holds all that secrets are found by', () => {
  const file = join(packageRoot, 'lib', 'policy', 'scan', 'anchors.ts');
  const text = anchorsFile(texts);
  if (process.env['LOKI_UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  assert.deepEqual(anchors, texts, 'write it anew with LOKI_UPDATE_GOLDEN=1, and build');
  // A vendored copy of dist/ comes without the sources.
  if (existsSync(file)) assert.equal(readFileSync(file, 'utf8'), text, 'write it anew with LOKI_UPDATE_GOLDEN=1');
});

function anchorsFile(anchors: readonly string[]): string {
  const lines: string[] = [];
  let line = ' ';
  for (const anchor of anchors) {
    const item = ` ${`'${anchor.replace('\n', '\\n')}'`},`;
    if (line.length + item.length > 150) {
      lines.push(line);
      line = ' ';
    }
    line += item;
  }
  return `/**\n * Every piece of text that a secret is found by, in lower case. Written by test/policy/scan/screen.test.ts from the tables, which\n * this file spares a process that needs none of them.\n */\nexport const anchors: readonly string[] = [\n${[...lines, line].join('\n')}\n];\n`;
}

test('no anchor is shorter than two characters, and each is ASCII in lower case', () => {
  for (const text of texts) assert.match(text, /^[\n\x20-\x26\x28-\x40\x5b\x5d-\x7e]{2,}$/, JSON.stringify(text));
});

describe('what the tables find passes the screen', () => {
  const passes = (text: string): void => assert.ok(text.length < 8 || mayHoldSecret(text), text);

  test('every shape of every vendor, alone and in every assignment', () => {
    for (const { shapes, names } of rules) {
      for (const [seed, shape] of shapes.flatMap((shape) => [1, 2, 3, 4, 5].map((seed) => [seed, shape] as const))) {
        const value = expand(shape, seed);
        if (names === undefined) passes(value);
        for (const form of assignments) passes(form.replaceAll('<n>', names?.[seed % names.length] ?? 'service').replaceAll('<v>', () => value));
      }
    }
  });

  test('every text that a vendor\'s table says must be found', () => {
    for (const template of rules.flatMap(({ catches }) => catches ?? [])) passes(expand(template));
  });

  test('whatever holds an anchor: in any case, among any characters', () => {
    let found = 0;
    const prefilter = new Prefilter(texts.map((text) => ({ text, found: () => { found += 1; } })));
    const around = ['', ' ', '\n', '.', '-', '_', 'a', 'Z', '7', '"', '\u0130', '\u212a', '\u03a3', '\u00df', '\ud83d\ude42', '\ud800', '\0', '/'];
    let next = 1;
    const pick = (from: readonly string[]): string => {
      next = Math.imul(next, 1_103_515_245) + 12_345 >>> 0;
      return from[(next >>> 8) % from.length] ?? '';
    };
    for (let round = 0; round < 20_000; round += 1) {
      const anchor = pick(texts);
      const cased = Array.from(anchor, (char) => pick(['a', 'b']) === 'a' ? char : char.toUpperCase()).join('');
      const torn = pick(['whole', 'whole', 'whole', 'torn']) === 'torn' ? cased.slice(1) : cased;
      const text = `${pick(around)}${pick(around)}${torn}${pick(around)}`;
      found = 0;
      prefilter.each(text, {});
      if (found > 0) assert.ok(mayHoldSecret(text), JSON.stringify(text));
    }
  });

  test('a text too long to be screened', () => {
    assert.ok(mayHoldSecret('. '.repeat(longestScreened)));
    assert.ok(!mayHoldSecret('. '.repeat(longestScreened / 2)));
  });
});

describe('a process that has looked at nothing yet', () => {
  let fresh = 0;
  /** The scanner as if it had just been started. */
  const started = async (): Promise<typeof SecretHits> => {
    fresh += 1;
    const file = import.meta.url.endsWith('.ts') ? 'secrets.ts' : 'secrets.js';
    return (await import(`${new URL('../../../lib/policy/scan/', import.meta.url).href}${file}?fresh=${fresh}`) as { secretHits: typeof SecretHits }).secretHits;
  };

  const github = expand('ghp_{base62:36}');
  const setting = `db_password = "${expand('{base62:24}')}"`;
  const samples: readonly (readonly [what: string, text: string])[] = [
    ['a token', `git clone ${github}`], ['a setting', setting], ['a URL', `https://root:${expand('{base62:16}')}@db.internal/x`],
    ['a token in base64', `echo ${Buffer.from(`user:${github} and more`).toString('base64')}`],
    ['a token in hexadecimal digits', `echo ${Buffer.from(`user ${github} and more`).toString('hex')}`],
    ['a setting in percent escapes', [...setting].map((char) => /\w/.test(char) ? char : `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')],
    ['a setting in escapes of every character', [...setting].map((char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')],
    ['a setting in UTF-16 and base64', Buffer.from(setting, 'utf16le').toString('base64')],
  ];
  for (const [what, text] of samples) {
    test(`finds ${what}, as the tables do`, async () => {
      const secretHits = await started();
      const first = secretHits(text, true);
      assert.ok(first.length > 0, text);
      for (let round = 0; round < 20; round += 1) secretHits('npm test', true);
      assert.deepEqual(secretHits(text, true), first);
    });
  }

  test('finds it behind harmless texts, whether few or many', async () => {
    for (const before of [1, 15, 16, 17, 40]) {
      const secretHits = await started();
      for (let round = 0; round < before; round += 1) assert.deepEqual(secretHits('npm run build', true), []);
      assert.equal(secretHits(`x ${github}`, true).length, 1, `${before}`);
      assert.equal(hitsIn(`x ${github}`).length, 1);
    }
  });
});

test('everyday actions do not get beyond the screen', () => {
  for (const text of ['npm test', 'npm run build', 'git status --short', 'git commit -m "Mend the parser"', 'ls -la src', 'cat package.json', 'npx tsc --noEmit', 'node --test dist/test', 'grep -rn "readFile" lib', '/home/anna/shop/src/index.js', 'export const one = 1;\n', 'python3 -m pytest -q', 'cargo build --release', 'go test ./...', 'mkdir -p build/out']) {
    assert.ok(!mayHoldSecret(text), text);
  }
});
