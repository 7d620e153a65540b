/** What a provider's use consists of, and a report of it. */

/** Kinds of tokens, disjoint: what is read from or written into a cache is not counted as input again. */
export const tokenKinds = ['input', 'output', 'cache_read', 'cache_write'] as const;
export type TokenKind = (typeof tokenKinds)[number];

/** Tokens by kind, whole numbers from 0. */
export type TokenCounts = { readonly [kind in TokenKind]: number };

export const noTokens: TokenCounts = { input: 0, output: 0, cache_read: 0, cache_write: 0 };

/** Tokens of one model; null where the provider did not name it. */
export interface ModelUsage {
  readonly model: string | null;
  readonly tokens: TokenCounts;
}

/** What one agent has used since its last report. */
export interface UsageReport {
  /** Given once and kept when the report is made again: the same id counts once. */
  readonly id: string;
  /** Milliseconds since the epoch; says which day and month it counts for, also when it is made again. */
  readonly at: number;
  readonly projectId: string;
  readonly sessionId: string;
  /** The agent's role: `agent`, or a reviewer's name. */
  readonly agent: string;
  readonly provider: string;
  readonly usage: readonly ModelUsage[];
  /** Calls that have ended, and those among them that reported no usage at all. */
  readonly calls: number;
  readonly unmetered: number;
}

/** All kinds together: what a limit on tokens counts. */
export function totalTokens(counts: TokenCounts): number {
  return tokenKinds.reduce((sum, kind) => capped(sum + counts[kind]), 0);
}

export function addTokens(a: TokenCounts, b: TokenCounts): TokenCounts {
  const sum = (kind: TokenKind): number => capped(a[kind] + b[kind]);
  return { input: sum('input'), output: sum('output'), cache_read: sum('cache_read'), cache_write: sum('cache_write') };
}

/** Sums stay where whole numbers are exact; a budget there is spent in any case. */
export function capped(count: number): number {
  return Math.min(count, Number.MAX_SAFE_INTEGER);
}
