/** Which proof is in force, in words. */
import type { Approver } from '../lib/approvals/proof.ts';
import { printable } from './output.ts';

export function proofWords(approvers: readonly Approver[]): string {
  if (approvers.length === 0) return 'a confirmation at the terminal (there is no approver key; loki approver create makes one)';
  return `the passphrase of an approver key (${approvers.map(({ owner }) => printable(owner)).join(', ')})`;
}
