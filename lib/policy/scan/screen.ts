/**
 * A look at a short text that costs less than the tables of all secrets: whether it holds any of the pieces of text that
 * secrets are found by. Where it holds none, the tables would find nothing, so a hook that judges `npm test` never makes
 * them. It may say yes too often, never too seldom.
 */
import { anchors } from './anchors.ts';

/** From here on the tables cost less than the look; what is made once is also there for the next text. */
export const longestScreened = 4096;
/** Characters before which an anchor of two does not count: as in prefilter.ts, words are made of them. */
const ofWord = /[a-z_]/;

/** Whether secrets have to be looked for in the text. */
export function mayHoldSecret(text: string): boolean {
  if (text.length > longestScreened) return true;
  // Anchors are ASCII, and what is not would become other letters when it is made small.
  const small = text.replace(/[^\0-\x7f]/g, ' ').toLowerCase();
  return anchors.some((anchor) => anchor.length > 2 ? small.includes(anchor) : holdsShort(small, anchor));
}

function holdsShort(text: string, anchor: string): boolean {
  for (let at = text.indexOf(anchor); at >= 0; at = text.indexOf(anchor, at + 1)) {
    if (!ofWord.test(text.charAt(at - 1))) return true;
  }
  return false;
}
