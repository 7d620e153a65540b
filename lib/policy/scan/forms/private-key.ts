/** Private keys: PEM and PGP blocks, also on one line with escaped line breaks, and the key files of PuTTY. */
import type { Detector, Scan } from '../scan.ts';

const longestKey = 16_384;
/** Taken for part of a key that has no end. */
const longestTorn = 4096;
const leastMaterial = 32;

/** A PEM block, up to its end where there is one. Public keys and certificates are none. */
const pem: Detector = {
  text: '-----begin ',
  found(scan: Scan, at: number): void {
    const { text } = scan;
    const label = /^[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/.exec(text.slice(at + 11, at + 80));
    if (label === null) return;
    const begin = at + 11 + label[0].length;
    // The next dashes end it, whatever they begin: no part of the text is looked at for two keys.
    const dashes = text.slice(begin, begin + longestKey).indexOf('-----');
    const stop = dashes < 0 ? Math.min(text.length, begin + longestTorn) : begin + dashes;
    const end = text.startsWith('-----END ', stop) ? endOfLabel(text, stop) : stop;
    const material = text.slice(begin, stop).replace(/\\[nr]/g, '').replace(/[^A-Za-z0-9+/]/g, '');
    if (material.length >= leastMaterial) scan.report({ rule: 'private-key', offset: at, length: end - at, confidence: 'high' }, 'own');
  },
};

/** Behind the dashes that close `-----END …-----`; behind its opening ones when the line is cut off. */
function endOfLabel(text: string, at: number): number {
  const close = text.slice(at + 9, at + 80).indexOf('-----');
  return at + 9 + (close < 0 ? 0 : close + 5);
}

/** `Private-Lines: n` and n lines of base64. */
const putty: Detector = {
  text: 'private-lines: ',
  found(scan: Scan, at: number): void {
    const block = /^\d{1,3}\r?\n((?:[A-Za-z0-9+/=]{1,64}\r?\n?){1,200})/.exec(scan.text.slice(at + 15, at + 15 + longestKey));
    if (block?.[1] === undefined || block[1].length < leastMaterial) return;
    scan.report({ rule: 'putty-private-key', offset: at, length: 15 + block[0].length, confidence: 'high' }, 'own');
  },
};

export const privateKeys: readonly Detector[] = [pem, putty];
