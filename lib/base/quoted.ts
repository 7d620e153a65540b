/** A text that somebody else wrote, as a message may show it. */

/** More of a refused value than this is not repeated in a message. */
const longestQuote = 60;

/** Control characters, line separators, and marks that reorder or hide what a person is shown. */
export const unsafe: RegExp = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const everyUnsafe = new RegExp(unsafe.source, 'g');

/** Quoted, cut, what is unsafe on a terminal escaped, a password in a URL hidden. */
export function quoted(text: string): string {
  const cut = text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text;
  const safe = JSON.stringify(cut.replace(/\/\/[^/@\s]*@/, '//***@'));
  return safe.replace(everyUnsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
