/**
 * Credentials that their makers print in public, in manuals, samples and emulators: whoever finds one has found nothing.
 * They are kept as digests, so that no other scanner stops at this file and nobody takes one for theirs.
 */
import { sha256Hex } from '../../base/digest.ts';

/** First 16 hexadecimal digits of the SHA-256 of each. */
const published: ReadonlySet<string> = new Set([
  // Google: keys of its public samples and of applications whose page carries them.
  'f56e323494a6ffc2', '2037abcaffb2b777', '3f370c9dd8225c63', 'e4a5542bb7fd7b67', 'a19f89ab3555eac1', '0b476bdf9acf2123', 'eb540d2b6ee2a0a4', '37f8f09bdf12c2f2',
  '8731261cb72d8626', '49f777db995e8260', '27a9a42931dff7eb', 'dc0fcf046c61640c', '4c98242dcadc8b29', 'ea9bb1082cf95663', '3a8b61d0f636b007', 'a6c814bc555ae62c',
  // Amazon Web Services: the pair of its manuals.
  '1a5d44a2dca19669', '78314b11be2e5815', 'e21b597ba6b9cafa',
  // Microsoft: storage and Cosmos DB emulators.
  '0011cc25eb432071', 'aa6547439583c3a2',
  // Stripe: the test keys of its manual.
  '4b8cbd96c8530f05', 'f2d6ca16515033e5', '2d1f7723aabc5c7a',
  // NuGet: the passwords of its manual.
  'dba72c00f41f4e4c', 'a0702bc91d699f60',
]);

export function isPublished(value: string): boolean {
  return published.has(sha256Hex(value).slice(0, 16));
}
