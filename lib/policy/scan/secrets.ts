/**
 * Credentials in a text: one pass finds every place where one of some hundreds of kinds could begin, and only there is
 * looked further. What is encoded in the text is decoded once and looked at in the same way.
 */
import { decodedParts } from './decode.ts';
import { authorizations } from './forms/authorization.ts';
import { jsonWebTokens } from './forms/json-web-token.ts';
import { kubernetes } from './forms/kubernetes.ts';
import { privateKeys } from './forms/private-key.ts';
import { urlPasswords } from './forms/url-password.ts';
import { genericSecrets } from './generic.ts';
import type { Hit } from './matcher.ts';
import { Prefilter } from './prefilter.ts';
import { nameDetectors, tokenDetectors } from './rule.ts';
import { Scan } from './scan.ts';
import { vendors } from './vendors.ts';

/** Shorter texts hold no secret that any rule knows. */
const shortest = 8;

let prefilter: Prefilter<Scan> | undefined;

/** Made when the first text is looked at: a process that judges no text does not pay for the tables. */
function prefilterOfAll(): Prefilter<Scan> {
  const rules = vendors.flatMap((vendor) => vendor.rules);
  return new Prefilter([
    ...privateKeys, ...jsonWebTokens, ...urlPasswords, ...authorizations, ...kubernetes,
    ...rules.filter((rule) => rule.names === undefined).flatMap(tokenDetectors), ...nameDetectors(rules), ...genericSecrets,
  ]);
}

/** Where credentials are in the text, as it stands and, unless told not to, as it decodes. */
export function secretHits(text: string, decode: boolean): readonly Hit[] {
  if (text.length < shortest) return [];
  prefilter ??= prefilterOfAll();
  const scan = new Scan(text);
  prefilter.each(text, scan);
  if (decode) reportDecoded(scan, prefilter);
  return scan.hits;
}

/** What a decoded stretch holds is reported at the stretch, unless something was found there as it stands. */
function reportDecoded(scan: Scan, filter: Prefilter<Scan>): void {
  const plain = [...scan.hits];
  for (const { offset, length, text } of decodedParts(scan.text)) {
    const inner = new Scan(text);
    filter.each(text, inner);
    const [first] = inner.hits;
    if (first === undefined || plain.some((hit) => hit.offset < offset + length && offset < hit.offset + hit.length)) continue;
    for (const { rule, confidence } of inner.hits) scan.report({ rule, offset, length, confidence });
  }
}
