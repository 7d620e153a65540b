/** Hardware addresses of network cards (IEEE 802, 48 bits), in six pairs. Longer rows of pairs are fingerprints of keys. */
import type { Hit } from '../matcher.ts';
import { isRepeated } from './checksums.ts';
import { isWord } from './codes.ts';
import { isBeside, wordPattern } from './surroundings.ts';
import type { Examples, Identifier } from './identifier.ts';

export const macExamples: Examples = {
  match: ['00:1A:2B:3C:4D:5E', 'hwaddr 0a-23-f5-67-89-ac', 'ether b8:27:eb:aa:bb:cc txqueuelen'],
  ignore: ['00:1A:2B:3C:4D', '00:1A:2B:3C:4D:5E:6F', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '00:1A:2B-3C:4D:5E', 'x00:1A:2B:3C:4D:5E', '12-11-10-09-08-07-06'],
};

const wordList = ['mac', 'mac address', 'hardware address', 'hwaddr', 'ether', 'ethernet', 'bssid', 'physical address'];
const words = wordPattern(wordList);
const length = 17;

/** The address whose first pair ends at the mark at `at`, a colon or a hyphen. */
export function macAt(text: string, at: number): Hit | undefined {
  const start = at - 2;
  if (text.charCodeAt(at + 3) !== text.charCodeAt(at)) return undefined;
  const found = text.slice(start, start + length);
  const mark = text.charCodeAt(at);
  const isPairs = found.length === length && (mark === 58 ? /^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/ : /^[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}$/).test(found);
  if (!isPairs || isWord(text.charCodeAt(start - 1)) || isWord(text.charCodeAt(start + length)) || isJoined(text, start, mark) || /^(?:00|ff)(?:[:-](?:00|ff)){5}$/i.test(found)) return undefined;
  return { rule: 'mac-address', offset: start, length, confidence: isBeside(text, start, start + length, words) ? 'high' : 'medium' };
}

function isJoined(text: string, start: number, mark: number): boolean {
  return (text.charCodeAt(start - 1) === mark && isWord(text.charCodeAt(start - 2))) || (text.charCodeAt(start + length) === mark && isWord(text.charCodeAt(start + length + 1)));
}

/** As network equipment writes it, in groups of four. */
export const dottedMac: Identifier = {
  rule: 'mac-address', about: 'Hardware address of a network card',
  forms: [['XXXX.XXXX.XXXX', 'medium']],
  valid: (compact) => /^[0-9A-F]{12}$/.test(compact) && /\d/.test(compact) && !isRepeated(compact),
  words: wordList,
  anyCase: true,
  match: ['001A.2B3C.4D5E', 'arp 10.1.1.1 0a23.f567.89ac dynamic'],
  ignore: ['001A.2B3C.4D5G', '0000.0000.0000', '001A.2B3C.4D5E.6F70', 'x001A.2B3C.4D5E'],
};
