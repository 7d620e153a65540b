/**
 * Money for tokens. A dollar a million tokens is a millionth of a dollar a token, so amounts are whole millionths, computed
 * from whole numbers and rounded up once a report: a budget is never charged too little, and nothing drifts.
 */
import { capped, noTokens, tokenKinds, type TokenCounts } from './usage.ts';

/** US dollars a million tokens, at most nine decimals. A kind that is left out has no price. */
export type Price = { readonly [kind in keyof TokenCounts]?: number };

/** By model. */
export type Prices = ReadonlyMap<string, Price>;

export interface Charge {
  /** Millionths of a US dollar. */
  readonly microUsd: number;
  /** Tokens that no price is known for; undefined when there are none. */
  readonly unpriced: TokenCounts | undefined;
}

/** Nine decimals of a price as a whole number. */
const scale = 1e9;

/** What these tokens of a model cost. Without a price they are unpriced, and cost nothing that is known. */
export function charge(tokens: TokenCounts, price: Price | undefined): Charge {
  let scaled = 0n;
  let unpriced: TokenCounts | undefined;
  for (const kind of tokenKinds) {
    const each = price?.[kind];
    if (tokens[kind] === 0) continue;
    if (each === undefined) unpriced = { ...unpriced ?? noTokens, [kind]: tokens[kind] };
    else scaled += BigInt(tokens[kind]) * BigInt(Math.round(each * scale));
  }
  const microUsd = (scaled + BigInt(scale) - 1n) / BigInt(scale);
  return { microUsd: capped(Number(microUsd)), unpriced };
}
