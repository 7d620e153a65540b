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
import { outside, Scan } from './scan.ts';
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
  const plain = hitsIn(text, prefilter);
  return decode ? [...plain, ...outside(decodedHits(text, prefilter), plain)] : plain;
}

function hitsIn(text: string, filter: Prefilter<Scan>): readonly Hit[] {
  const scan = new Scan(text);
  filter.each(text, scan);
  return scan.hits();
}

/** What a decoded stretch holds is reported at the stretch. */
function decodedHits(text: string, filter: Prefilter<Scan>): readonly Hit[] {
  return decodedParts(text).flatMap(({ offset, length, text: said }) => hitsIn(said, filter).map(({ rule, confidence }) => ({ rule, offset, length, confidence })));
}
