/** The cost of looking for personal data grows with the text and not with its square, for what each kind begins with. */
import { describe, test } from 'node:test';
import { piiKinds } from '../../../lib/policy/scan/pii/kinds.ts';
import { scanPii } from '../../../lib/policy/scan/scanners.ts';
import { linear } from '../../support/growth.ts';

const seeds: Readonly<Record<string, string>> = {
  'local parts': 'a', 'at signs': '@', 'addresses without an end': 'a@b.', 'digits': '1', 'digit groups': '12 ', 'hyphens': '1-', 'dots': '1.', 'colons': ':', 'hex and colons': 'ab:', 'pairs': 'aa-', 'plus signs': '+1', 'brackets': '(1) ',
  'letters and digits': 'A1', 'underscores': '1_', 'countries': 'DE89', 'spaces': ' ', 'surrogates': '\ud83d\ude00', 'quotes and digits': '"123456789"',
};

describe('hostile text', () => {
  for (const [name, seed] of Object.entries(seeds)) test(name, () => grows(seed));
});

describe('text full of almost one kind', () => {
  // The last character is another one, so that most of the checks are run and nothing is found.
  for (const kind of piiKinds) test(`${kind.rule}: ${kind.match[0] ?? ''}`, () => grows(`${(kind.match[0] ?? '').slice(0, -1)}0 `));
});

function grows(seed: string): void {
  linear((size) => { scanPii(seed.repeat(Math.ceil(size / seed.length))); }, 4_000);
}
