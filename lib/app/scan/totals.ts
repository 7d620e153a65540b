/** What a scan has gone through and what it has passed over, so that nobody takes "nothing found" for more than it is. */

export interface Skipped {
  binary: number;
  links: number;
  /** Larger than was asked for. */
  readonly large: string[];
  readonly unreadable: { readonly path: string; readonly because: string }[];
}

export interface Totals {
  files: number;
  bytes: number;
  /** Found, and allowed by a comment or known to the baseline. */
  allowed: number;
  known: number;
  readonly skipped: Skipped;
  /** Files with so many findings that not all of them are told. */
  readonly crowded: string[];
  /** Directories that look like repositories, and that git says are none. */
  readonly ungoverned: string[];
}

export function noTotals(): Totals {
  return { files: 0, bytes: 0, allowed: 0, known: 0, skipped: { binary: 0, links: 0, large: [], unreadable: [] }, crowded: [], ungoverned: [] };
}
