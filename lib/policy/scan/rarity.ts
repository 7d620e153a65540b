/**
 * How unlike words a text is. Entropy alone takes `getConfigurationForUser` for a key, since it counts characters and does
 * not see their order; here each pair of neighbours costs as many bits as it is rare in English and in code.
 */

/** Row: a letter; column: the letter after it. A hexadecimal digit: -log2 of how often it follows, counted over the words of this product's own pages and sources. */
const followers: readonly string[] = [
  'e643b75b4e6343f5e43358795d', '3a9c2ad874b3ac3dd5674ddd3d', '4d7b3df35d45bd29b5836f9f6f', '4a951b6e2dd79b29c64b69de6e',
  '3943657a8aa653866334c5646d', '4b8a55be1ed6dc3cf3653ffd6f', '4ba92c753fb6644cd4435afff7', '28eb1ddd3eec9c3ce5767ede8e',
  '8855555fceb45237c533b7f9f7', '8ddb1bdb7d9bdd3dad2a49dddd', '8eca1ade2de7b494bd4b8cacec', '3dd528dc3f848d39fa5648cf3f',
  '33971dde4bb65743fd5b7befef', '4d43363b6f749749e83357af7f', '9665745f57554255f355465cad', '3aca3ec75fc4ae24c2646fcd7f',
  '89ccac99aa8c9a99a87c0ccccc', '4b75278d3d887438f554579f4f', '5e6b29c44e56b946eb415a7e6f', '4d6929a23ef7c948f3464d8f5e',
  '7674368d6ff44276f344fdfbfe', '2ece1bae3d7ccc4eceacdcbeee', '3bd73fd23da8d33ff45affdbff', '6b595acc4ccace92ecb1cce99b',
  '588e4eec6ee76452b822ee8e78', '3b8b099949b6bbb99b6689b999',
];

/** Bits of the pairs that are not two letters of one word. */
const cost = { newWord: 4, digits: 3.3, letterAndDigit: 6, separator: 3 } as const;

type Kind = 'lower' | 'upper' | 'digit' | 'other';

function kindOf(code: number): Kind {
  if (code >= 97 && code <= 122) return 'lower';
  if (code >= 65 && code <= 90) return 'upper';
  return code >= 48 && code <= 57 ? 'digit' : 'other';
}

/** Mean bits a pair of neighbours; 0 for less than two characters. Words of English are near 4, random base62 is near 6. */
export function rarity(text: string): number {
  let [bits, before, last] = [0, 'other' as Kind, 0];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const kind = kindOf(code);
    if (at > 0) bits += pairBits(before, last, kind, code);
    [before, last] = [kind, code];
  }
  return text.length < 2 ? 0 : bits / (text.length - 1);
}

function pairBits(before: Kind, last: number, kind: Kind, code: number): number {
  if (before === 'other' || kind === 'other') return cost.separator;
  if (before === 'digit' || kind === 'digit') return before === kind ? cost.digits : cost.letterAndDigit;
  if (before === 'lower' && kind === 'upper') return cost.newWord;
  return Number.parseInt(followers[(last | 32) - 97]?.charAt((code | 32) - 97) ?? 'f', 16);
}

/** Bits a character of Shannon entropy. */
export function entropy(text: string): number {
  const counts = new Map<number, number>();
  for (let at = 0; at < text.length; at += 1) counts.set(text.charCodeAt(at), (counts.get(text.charCodeAt(at)) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count / text.length * Math.log2(count / text.length);
  return bits;
}
