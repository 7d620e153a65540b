/** Everything that finds secrets, in one table. Loaded and made only when a text may hold one: see screen.ts. */
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
import type { Detector } from './scan.ts';
import { vendors } from './vendors.ts';

/** Each kind of secret by what it is found by. */
export function detectors(): readonly Detector[] {
  const rules = vendors.flatMap((vendor) => vendor.rules);
  return [
    ...privateKeys, ...jsonWebTokens, ...urlPasswords, ...authorizations, ...kubernetes,
    ...rules.filter((rule) => rule.names === undefined).flatMap(tokenDetectors), ...nameDetectors(rules), ...genericSecrets,
  ];
}

let prefilter: Prefilter<Scan> | undefined;

/** Where secrets are in the text, as it stands. */
export function hitsIn(text: string): readonly Hit[] {
  const scan = new Scan(text);
  (prefilter ??= new Prefilter(detectors())).each(text, scan);
  return scan.hits();
}
