/**
 * Credentials in a text: one pass finds every place where one of some hundreds of kinds could begin, and only there is
 * looked further. What is encoded in the text is decoded once and looked at in the same way.
 */
import { decodedParts } from './decode.ts';
import { hitsIn } from './detectors.ts';
import type { Hit } from './matcher.ts';
import { outside } from './scan.ts';
import { mayHoldSecret } from './screen.ts';

/** Shorter texts hold no secret that any rule knows. */
const shortest = 8;
/** Who has looked at so many texts will look at more, and then the tables are cheaper than the screen. */
const mostScreened = 16;

let screened = 0;

/** Where credentials are in the text, as it stands and, unless told not to, as it decodes. */
export function secretHits(text: string, decode: boolean): readonly Hit[] {
  if (text.length < shortest) return [];
  const plain = hits(text);
  const parts = decode ? decodedParts(text) : [];
  // What a decoded stretch holds is reported at the stretch.
  const decoded = parts.flatMap(({ offset, length, text: said }) => hits(said).map(({ rule, confidence }) => ({ rule, offset, length, confidence })));
  return decoded.length === 0 ? plain : [...plain, ...outside(decoded, plain)];
}

/** The tables are made for the first text that may hold a secret: a process that looks at few and harmless ones does not pay for them. */
function hits(text: string): readonly Hit[] {
  if (screened < mostScreened) {
    screened += 1;
    if (!mayHoldSecret(text)) return [];
    screened = mostScreened;
  }
  return hitsIn(text);
}
