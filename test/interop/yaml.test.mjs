/**
 * Our YAML subset against the `yaml` package, on texts made at random from the pieces YAML is made of: what both read must
 * mean the same. Where ours refuses, that is its right; where it reads what the peer calls invalid, that is a defect.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { isScalar, parseDocument, visit } from 'yaml';
import { parseYaml } from '../../dist/lib/entry/yaml.js';

const pieces = [
  'a', 'b: ', '- ', '\n', '\n  ', '\n    ', '"x y"', "'it''s'", '# note', ' # note', '[', ']', '{', '}', ', ', ': ', '|\n  text\n', '>\n  folded\n  lines\n', '|-\n  t', '>+\n  t\n\n',
  '1', '-2.5', '1e3', '0o17', '0x1F', 'true', 'null', '~', 'no', '2026-01-01', '1_000', '...', '---\n', '"\\u0041\\n"', '?', 'key', '"', "'", '\\', '%', '@', '*', '&', '!',
];
const rounds = 200_000;

/** A small generator, so that a failure can be repeated by its seed. */
function createDice(seed) {
  let state = seed >>> 0;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function ours(text) {
  try {
    return { value: parseYaml(text) };
  } catch (error) {
    assert.equal(error.code, 'yaml.invalid', `${JSON.stringify(text)} ended in ${error.stack}`);
    return undefined;
  }
}

function theirs(text) {
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, strict: true });
  if (document.errors.length > 0) return undefined;
  try {
    return { value: document.toJS(), typedKey: hasTypedKey(document) };
  } catch {
    // An alias without its anchor comes to light only here.
    return undefined;
  }
}

/** Keys are text with us; the peer makes text of numbers, booleans and null in a way of its own. */
function hasTypedKey(document) {
  let found = false;
  visit(document, { Pair: (_, { key }) => { if (!isScalar(key) || typeof key.value !== 'string') found = true; } });
  return found;
}

test('whatever both read means the same', (t) => {
  const seed = Number(process.env.LOKI_SEED ?? 20_260_215);
  const dice = createDice(seed);
  let compared = 0;
  let stricter = 0;
  for (let round = 0; round < rounds; round += 1) {
    const text = Array.from({ length: 1 + dice(9) }, () => pieces[dice(pieces.length)]).join('');
    const mine = ours(text);
    const peer = theirs(text);
    if (mine === undefined) { if (peer !== undefined) stricter += 1; continue; }
    if (peer === undefined || peer.typedKey) continue;
    assert.deepEqual(mine.value, peer.value, `seed ${seed}, round ${round}: ${JSON.stringify(text)}`);
    compared += 1;
  }
  t.diagnostic(`${compared} texts compared, ${stricter} refused by ours alone`);
  assert.ok(compared > rounds / 20);
});
