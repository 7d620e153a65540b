/**
 * The commands, one row each, and the groups they stand in. A row loads its module only when it runs, so the cost of one
 * command is never paid by another.
 */
import type { Command, Commands } from './command.ts';

/** One command. */
export interface CommandRow {
  /** The words that call it, after `loki`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Left out of lists and completions. */
  readonly hidden?: true;
  /**
   * It answers an agent: whatever goes wrong, the answer is a no. `verdict`: a line of JSON that says so; `code`: nothing on standard output,
   * words on standard error and exit code 2, which every agent takes for a no.
   */
  readonly answersAgent?: 'verdict' | 'code';
  load(): Promise<{ readonly command: Command }>;
}

/** First words that stand before other commands. */
export interface GroupRow {
  readonly name: string;
  readonly summary: string;
}

export const groupTable: readonly GroupRow[] = [
  { name: 'approver', summary: 'The sealed key that stands behind decisions' },
  { name: 'hook', summary: 'Answer one hook event of a coding agent' },
  { name: 'hooks', summary: 'Put hooks into agents\' settings, and see that they work' },
  { name: 'policy', summary: 'Validate policies and ask what they say' },
  { name: 'audit', summary: 'Verify the audit chains; show what agents did' },
  { name: 'syslog', summary: 'Forwarding of the log of record' },
  { name: 'store', summary: 'Backup, check and restore of projects, runs, approvals and keys' },
  { name: 'telemetry', summary: 'Traces, metrics and logs on their way to receivers' },
  { name: 'webhooks', summary: 'Messages to the webhooks of approvals' },
  { name: 'enterprise', summary: 'Effective configuration; the log of record' },
  { name: 'enterprise audit', summary: 'Look into the log of record' },
  { name: 'enterprise token', summary: 'Keys of the API, on this machine' },
  { name: 'runs', summary: 'Runs of the control plane' },
  { name: 'tasks', summary: 'Tasks of the control plane' },
  { name: 'projects', summary: 'Projects of the control plane' },
  { name: 'tenants', summary: 'Tenants of the control plane' },
  { name: 'keys', summary: 'Keys of the API, over the API' },
];

/** Agents whose hooks are answered, as people call them. */
const titles = { claude: 'Claude Code', codex: 'Codex CLI', gemini: 'Gemini CLI', opencode: 'opencode', cursor: 'Cursor', copilot: 'GitHub Copilot' } as const;

/** The rows of a group whose commands stand in one module. */
function rowsOf<Name extends string>(group: string, load: () => Promise<{ readonly commands: Commands<Name> }>, summaries: readonly (readonly [Name, string])[]): readonly CommandRow[] {
  return summaries.map(([name, summary]) => ({ name: `${group} ${name}`, summary, load: async () => ({ command: (await load()).commands[name] }) }));
}

export const commandTable: readonly CommandRow[] = [
  { name: 'init', summary: 'Put a project under governance', load: () => import('./commands/init.ts') },
  { name: 'trust', summary: 'Confirm the commands that a project wants to run', load: () => import('./commands/trust.ts') },
  { name: 'start', summary: 'Run a governed session on a requirements document', load: () => import('./commands/start.ts') },
  { name: 'status', summary: 'Show the project and its session', load: () => import('./commands/status.ts') },
  { name: 'pause', summary: 'Pause the session after its current step', load: () => import('./commands/pause.ts') },
  { name: 'resume', summary: 'Go on with a paused session', load: () => import('./commands/resume.ts') },
  { name: 'stop', summary: 'Stop the session', load: () => import('./commands/stop.ts') },
  { name: 'worker', summary: 'Drive the runs that were ordered', load: () => import('./commands/worker.ts') },
  { name: 'dashboard', summary: 'Serve the control plane and its page', load: () => import('./commands/dashboard.ts') },
  { name: 'store backup', summary: 'Write what the store holds to one file, while it is in use', load: () => import('./commands/store-backup.ts') },
  { name: 'store check', summary: 'Read the whole store, or a backup, and say whether it is whole', load: () => import('./commands/store-check.ts') },
  { name: 'store restore', summary: 'Put a backup in the place of the store', load: () => import('./commands/store-restore.ts') },
  { name: 'login', summary: 'Sign this command line in at a control plane', load: () => import('./commands/login.ts') },
  { name: 'logout', summary: 'End that, and revoke its key', load: () => import('./commands/logout.ts') },
  { name: 'approvals', summary: 'List what waits for a decision', load: () => import('./commands/approvals.ts') },
  { name: 'approve', summary: 'Approve a request', load: () => import('./commands/approve.ts') },
  { name: 'reject', summary: 'Reject a request', load: () => import('./commands/reject.ts') },
  { name: 'approver create', summary: 'Make an approver key, sealed with a passphrase', load: () => import('./commands/approver-create.ts') },
  { name: 'approver status', summary: 'Show which proof is in force, and the approver keys', load: () => import('./commands/approver-status.ts') },
  { name: 'approver passwd', summary: 'Change the passphrase of an approver key', load: () => import('./commands/approver-passwd.ts') },
  { name: 'hook generic', summary: 'Judge one action given as JSON on stdin', answersAgent: 'verdict', load: () => import('./commands/hook-generic.ts') },
  ...(['claude', 'codex', 'gemini', 'opencode', 'cursor', 'copilot'] as const).map((name): CommandRow => ({
    name: `hook ${name}`, summary: `Answer one hook event of ${titles[name]}`, answersAgent: 'code', load: async () => ({ command: (await import('./commands/hook-agent.ts')).commandFor(name) }),
  })),
  { name: 'hooks install', summary: 'Put hooks into the settings of coding agents', load: () => import('./commands/hooks-install.ts') },
  { name: 'hooks status', summary: 'Say what nobody sees: whether the hooks are in force', load: () => import('./commands/hooks-status.ts') },
  { name: 'hooks test', summary: 'Run the installed hooks on a harmless and a forbidden call', load: () => import('./commands/hooks-test.ts') },
  { name: 'hooks uninstall', summary: 'Take them out again', load: () => import('./commands/hooks-uninstall.ts') },
  { name: 'hooks disable', summary: 'Take them out for a reason, recorded', load: () => import('./commands/hooks-disable.ts') },
  { name: 'policy check', summary: 'Validate the policy files and run their tests', load: () => import('./commands/policy-check.ts') },
  { name: 'policy test', summary: 'Run the tests in policies; tell which rules they reach', load: () => import('./commands/policy-test.ts') },
  { name: 'policy evaluate', summary: 'Ask the policy about one context, for CI', load: () => import('./commands/policy-evaluate.ts') },
  { name: 'policy restore', summary: 'Bring back the policy as it was enrolled', load: () => import('./commands/policy-restore.ts') },
  { name: 'policy explain', summary: 'Say rule by rule why the policy decides so', load: () => import('./commands/policy-explain.ts') },
  { name: 'policy simulate', summary: 'Judge recorded actions by another policy', load: () => import('./commands/policy-simulate.ts') },
  { name: 'policy diff', summary: 'Tell what changes between two policy files', load: () => import('./commands/policy-diff.ts') },
  { name: 'scan', summary: 'Find secrets and personal data in files', load: () => import('./commands/scan.ts') },
  { name: 'audit verify', summary: 'Check every chain for edits, holes and torn tails', load: () => import('./commands/audit-verify.ts') },
  { name: 'audit checkpoint', summary: 'Sign and print a checkpoint of the log', load: () => import('./commands/audit-checkpoint.ts') },
  { name: 'audit prove', summary: 'Write a proof that one entry is in the log', load: () => import('./commands/audit-prove.ts') },
  { name: 'audit verify-proof', summary: 'Check such a proof, without the log', load: () => import('./commands/audit-verify-proof.ts') },
  { name: 'audit keep', summary: 'Seal, compress and prune what is finished', load: () => import('./commands/audit-keep.ts') },
  { name: 'audit prune', summary: 'Remove the oldest records, and say so for good', load: () => import('./commands/audit-prune.ts') },
  { name: 'audit log', summary: 'Show what agents did in this project', load: () => import('./commands/audit-log.ts') },
  { name: 'audit count', summary: 'Count what agents did in this project', load: () => import('./commands/audit-count.ts') },
  { name: 'audit erase', summary: 'Erase a person from the log of record', load: () => import('./commands/audit-erase.ts') },
  { name: 'audit rekey', summary: 'Change the key of an encrypted log', load: () => import('./commands/audit-rekey.ts') },
  { name: 'approver verify', summary: 'Check the signatures of decisions in the log of record', load: () => import('./commands/approver-verify.ts') },
  { name: 'metrics', summary: 'Print what the control plane counts', load: () => import('./commands/metrics.ts') },
  { name: 'doctor', summary: 'Look at what records depend on; say what repairs it', load: () => import('./commands/doctor.ts') },
  { name: 'enterprise status', summary: 'Show every effective setting and where it came from', load: () => import('./commands/enterprise-status.ts') },
  { name: 'enterprise audit summary', summary: 'Count the log of record by event, level and actor', load: () => import('./commands/enterprise-audit-summary.ts') },
  { name: 'enterprise audit tail', summary: 'Show the newest entries of the log of record', load: () => import('./commands/enterprise-audit-tail.ts') },
  { name: 'syslog send', summary: 'Send receivers the entries they have not got', load: () => import('./commands/syslog-send.ts') },
  { name: 'syslog test', summary: 'Try the receivers that the log of record is forwarded to', load: () => import('./commands/syslog-test.ts') },
  { name: 'telemetry status', summary: 'Say whether telemetry is on, what waits, and how receivers answer', load: () => import('./commands/telemetry-status.ts') },
  { name: 'telemetry export', summary: 'Take what waits out as OTLP files, to carry it elsewhere', load: () => import('./commands/telemetry-export.ts') },
  { name: 'telemetry replay', summary: 'Send OTLP files to a receiver', load: () => import('./commands/telemetry-replay.ts') },
  { name: 'telemetry send', summary: 'Send receivers what waits on disk', load: () => import('./commands/telemetry-send.ts') },
  { name: 'webhooks send', summary: 'Send webhooks the messages that are due', load: () => import('./commands/webhooks-send.ts') },
  { name: 'webhooks secret', summary: 'Show the secret that such messages are signed with', load: () => import('./commands/webhooks-secret.ts') },
  { name: 'enterprise audit search', summary: 'Find entries of the log of record', load: () => import('./commands/enterprise-audit-search.ts') },
  { name: 'enterprise audit export', summary: 'Take entries out of the log of record, recorded', load: () => import('./commands/enterprise-audit-export.ts') },
  { name: 'enterprise token generate', summary: 'Make a key of the API, and print its token', load: () => import('./commands/enterprise-token-generate.ts') },
  { name: 'enterprise token list', summary: 'List the keys of the API', load: () => import('./commands/enterprise-token-list.ts') },
  { name: 'enterprise token revoke', summary: 'Revoke a key', load: () => import('./commands/enterprise-token-revoke.ts') },
  { name: 'enterprise token rotate', summary: 'Make a new token for a key', load: () => import('./commands/enterprise-token-rotate.ts') },
  ...rowsOf('runs', () => import('./commands/runs.ts'), [
    ['list', 'List runs'], ['get', 'Show a run'], ['timeline', 'Tell what happened in a run'], ['watch', 'Follow a run to its end'], ['start', 'Order a run'], ['cancel', 'Cancel a run'], ['replay', 'Order a run again'],
  ]),
  ...rowsOf('tasks', () => import('./commands/tasks.ts'), [['list', 'List tasks'], ['get', 'Show a task'], ['create', 'Put a task into a project'], ['update', 'Change a task'], ['delete', 'Remove a task']]),
  ...rowsOf('projects', () => import('./commands/projects.ts'), [['list', 'List projects'], ['get', 'Show a project'], ['create', 'Make a project'], ['update', 'Change a project'], ['delete', 'Remove a project']]),
  ...rowsOf('tenants', () => import('./commands/tenants.ts'), [['list', 'List tenants'], ['get', 'Show a tenant'], ['create', 'Make a tenant'], ['update', 'Change a tenant'], ['delete', 'Remove a tenant']]),
  ...rowsOf('keys', () => import('./commands/keys.ts'), [['list', 'List keys'], ['get', 'Show a key'], ['create', 'Make a key, and print its token'], ['update', 'Change a key'], ['revoke', 'Revoke a key'], ['rotate', 'Make a new token for a key']]),
  { name: 'completion', summary: 'Print a completion script for a shell', load: () => import('./commands/completion.ts') },
  { name: 'version', summary: 'Print the version', load: () => import('./commands/version.ts') },
  { name: 'play', summary: 'Play one step of a scripted agent', hidden: true, load: () => import('./commands/play.ts') },
];
