/** Bitcoin addresses: base58 with its double SHA-256 checksum (P2PKH, P2SH), and bech32 with its polynomial (BIP 173, BIP 350). */
import { sha256, sha256Hex } from '../../../base/digest.ts';
import type { Hit } from '../matcher.ts';
import type { Examples } from './identifier.ts';

export const walletExamples: Examples = {
  match: ['16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ', '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy', 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr'],
  ignore: ['16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ2', '16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyY', 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdr', '1111111111111111111111111111111111'],
};

const alphabet58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const alphabet32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** The address that a whole word is. */
export function walletAt(text: string, start: number, end: number): Hit | undefined {
  const found = text.slice(start, end);
  const isOne = /^[13]/.test(found) ? end - start >= 26 && end - start <= 35 && isBase58(found) : end - start >= 42 && end - start <= 62 && /^(?:bc1[a-z0-9]+|BC1[A-Z0-9]+)$/.test(found) && isBech32(found.toLowerCase());
  return isOne ? { rule: 'crypto-wallet', offset: start, length: end - start, confidence: 'high' } : undefined;
}

/** A version byte, twenty bytes of hash, four of checksum. */
function isBase58(text: string): boolean {
  let value = 0n;
  for (const char of text) {
    const digit = alphabet58.indexOf(char);
    if (digit < 0) return false;
    value = value * 58n + BigInt(digit);
  }
  const hex = value.toString(16).padStart(50, '0');
  if (hex.length !== 50) return false;
  const bytes = Uint8Array.from({ length: 21 }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16));
  return sha256Hex(sha256(bytes)).startsWith(hex.slice(42));
}

function isBech32(text: string): boolean {
  const values = [...text.slice(3)].map((char) => alphabet32.indexOf(char));
  if (values.includes(-1)) return false;
  let check = 1;
  // The prefix "bc", spread out as the standard says, comes first.
  for (const value of [3, 3, 0, 2, 3, ...values]) {
    const top = check >>> 25;
    check = (check & 0x1ffffff) << 5 ^ value;
    generators.forEach((generator, at) => { if ((top >>> at & 1) === 1) check ^= generator; });
  }
  return check === 1 || check === 0x2bc830a3;
}
