/** What is said of a chain that was verified. Types only. */
import type { ChainBreak, Verdict } from './causes.ts';

/** What a checkpoint says, and whether the lines are those it speaks of. */
export interface CheckpointReport {
  readonly from: string;
  readonly origin: string;
  readonly size: number;
  /** Base64, as in the note. */
  readonly root: string;
  /** The key that signed it, as a vkey. */
  readonly key: string | null;
  readonly verified: boolean;
}

/** One chain, found good or not. */
export interface ChainReport {
  /** `record`, or `agent:<project id>`, or the path that was asked for. */
  readonly chain: string;
  readonly verdict: Verdict;
  readonly valid: boolean;
  /** All that were found to be good, read now or by the verification that this one goes on from. */
  readonly entries_checked: number;
  readonly bytes_checked: number;
  /** How many of them are in files that have not changed since they were last verified. */
  readonly entries_known: number;
  /** Where the files lie. */
  readonly directory: string;
  readonly files: readonly string[];
  readonly first_seq: number | null;
  readonly last_seq: number | null;
  readonly last_hash: string | null;
  /** Entries after the newest checkpoint; null for a chain that no checkpoints are made of. */
  readonly unsealed: number | null;
  /** Entries that were pruned, as a signed statement says. */
  readonly pruned: { readonly first_seq: number; readonly last_seq: number; readonly time: string } | null;
  readonly checkpoint: CheckpointReport | null;
  /** The checkpoints that were brought along. */
  readonly against: readonly CheckpointReport[];
  /** The first ones, at most a hundred. */
  readonly breaks: readonly ChainBreak[];
  /** What is worth knowing and no fault. */
  readonly notes: readonly string[];
}

/** How a log in a directory of its own is verified (`loki-enterprise/audit`). */
export interface VerifyLogOptions {
  readonly signal?: AbortSignal;
  /** Signed checkpoints kept elsewhere, which the log must agree with. */
  readonly against?: readonly string[];
  /** Public keys that may have signed them, beside the log's own. */
  readonly vkeys?: readonly string[];
  /** False: that the log was verified is not recorded in it. */
  readonly record?: boolean;
}
