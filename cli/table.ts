/**
 * The commands, one row each, and the groups they stand in. A row loads its module only when it runs, so the cost of one
 * command is never paid by another.
 */
import type { Command } from './command.ts';
import { hookGroup, hookTable } from './hook-table.ts';

/** One command. */
export interface CommandRow {
  /** The words that call it, after `loki`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Left out of lists and completions. */
  readonly hidden?: true;
  /** It answers an agent: whatever goes wrong, the answer is a verdict that is a no. */
  readonly answersAgent?: true;
  load(): Promise<{ readonly command: Command }>;
}

/** First words that stand before other commands. */
export interface GroupRow {
  readonly name: string;
  readonly summary: string;
}

export const groupTable: readonly GroupRow[] = [
  hookGroup,
  { name: 'policy', summary: 'Validate policies and ask what they say' },
  { name: 'audit', summary: 'Verify the audit chains; show what agents did' },
  { name: 'enterprise', summary: 'Effective configuration; the log of record' },
  { name: 'enterprise audit', summary: 'Look into the log of record' },
];

export const commandTable: readonly CommandRow[] = [
  { name: 'init', summary: 'Put a project under governance', load: () => import('./commands/init.ts') },
  { name: 'trust', summary: 'Confirm the commands that a project wants to run', load: () => import('./commands/trust.ts') },
  { name: 'start', summary: 'Run a governed session on a requirements document', load: () => import('./commands/start.ts') },
  { name: 'status', summary: 'Show the project and its session', load: () => import('./commands/status.ts') },
  { name: 'pause', summary: 'Pause the session after its current step', load: () => import('./commands/pause.ts') },
  { name: 'resume', summary: 'Go on with a paused session', load: () => import('./commands/resume.ts') },
  { name: 'stop', summary: 'Stop the session', load: () => import('./commands/stop.ts') },
  { name: 'dashboard', summary: 'Serve the control plane and its page', load: () => import('./commands/dashboard.ts') },
  { name: 'approvals', summary: 'List what waits for a decision', load: () => import('./commands/approvals.ts') },
  { name: 'approve', summary: 'Approve a request', load: () => import('./commands/approve.ts') },
  { name: 'reject', summary: 'Reject a request', load: () => import('./commands/reject.ts') },
  ...hookTable,
  { name: 'policy check', summary: 'Validate the policy files and run their tests', load: () => import('./commands/policy-check.ts') },
  { name: 'policy evaluate', summary: 'Ask the policy about one context, for CI', load: () => import('./commands/policy-evaluate.ts') },
  { name: 'policy explain', summary: 'Say rule by rule why the policy decides so', load: () => import('./commands/policy-explain.ts') },
  { name: 'audit verify', summary: 'Check every chain for edits, holes and torn tails', load: () => import('./commands/audit-verify.ts') },
  { name: 'audit log', summary: 'Show what agents did in this project', load: () => import('./commands/audit-log.ts') },
  { name: 'audit count', summary: 'Count what agents did in this project', load: () => import('./commands/audit-count.ts') },
  { name: 'enterprise status', summary: 'Show every effective setting and where it came from', load: () => import('./commands/enterprise-status.ts') },
  { name: 'enterprise audit summary', summary: 'Count the log of record by event, level and actor', load: () => import('./commands/enterprise-audit-summary.ts') },
  { name: 'enterprise audit tail', summary: 'Show the newest entries of the log of record', load: () => import('./commands/enterprise-audit-tail.ts') },
  { name: 'completion', summary: 'Print a completion script for a shell', load: () => import('./commands/completion.ts') },
  { name: 'version', summary: 'Print the version', load: () => import('./commands/version.ts') },
  { name: 'play', summary: 'Play one step of a scripted agent', hidden: true, load: () => import('./commands/play.ts') },
];
