/** CRC-32 and base62 as token makers use them: the last six characters of a key are the checksum of those before. */

/** CRC-32 of ASCII text (IEEE 802.3, reflected), bit by bit: tokens are short. */
export function crc32(text: string): number {
  let sum = ~0;
  for (let at = 0; at < text.length; at += 1) {
    sum ^= text.charCodeAt(at);
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A number below 2^32 as six base62 digits (`0-9A-Za-z`), zeros in front. */
export function base62(value: number): string {
  let [text, rest] = ['', value];
  for (let place = 0; place < 6; place += 1) [text, rest] = [digits.charAt(rest % 62) + text, Math.floor(rest / 62)];
  return text;
}
