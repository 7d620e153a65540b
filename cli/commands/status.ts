/** `loki status`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { auditHealth, healthWords, type AuditHealth } from '../../lib/app/audit/health.ts';
import { budgetsOf, nothingUsed, type ProjectBudgets } from '../../lib/app/budget-overview.ts';
import { approversOf } from '../../lib/app/approver.ts';
import { requireProject, type Installation } from '../../lib/app/installation.ts';
import { assertAsEnrolled } from '../../lib/app/policy.ts';
import type { Approver } from '../../lib/approvals/proof.ts';
import { readEnrolment, type Enrolment } from '../../lib/gate/enrolment.ts';
import { latestRun, sessionStatus, type SessionView } from '../../lib/runs/control.ts';
import type { Run } from '../../lib/runs/run.ts';
import { budgetCells } from '../budget-words.ts';
import type { Command, CommandContext } from '../command.ts';
import { open } from '../open.ts';
import { columns, printable, type Output } from '../output.ts';
import { hasStore, withParts } from '../parts.ts';
import { proofWords } from '../proof-words.ts';
import { runRows, sessionJson, sessionRows } from '../session-words.ts';

export const command: Command = {
  about: 'Shows the project, whether it is enrolled, its session or its last run, where its budgets stand, what waits for a decision, and how the log of record stands.',
  operands: [],
  flags: [],
  examples: [['loki status', ''], ['loki status --json', 'as {"project", "enrolled", "everything_denied", "session", "last_run", "budgets", "approvals_pending", "audit"}']],
  exits: [],
  run,
};

/** What the store knows. */
interface Work {
  readonly session?: SessionView | undefined;
  readonly lastRun?: Run | undefined;
  readonly pending: readonly string[];
  readonly budgets: ProjectBudgets;
}

async function run(context: CommandContext): Promise<number> {
  const { output } = context;
  const installation = open(context);
  const { project } = requireProject(installation);
  const { host } = installation;
  const standing = standingOf(installation, project.id);
  const work: Work = hasStore(installation)
    ? await withParts(installation, async ({ store, approvals }) => {
      const of = { ...project, tenant_id: null };
      const pending = await approvals.list({ status: 'pending', project: project.id });
      return { session: await sessionStatus({ store, facts: host.facts }, of), lastRun: await latestRun(store, of), pending: pending.map(({ id }) => id), budgets: await budgetsOf(installation, store) };
    })
    : { pending: [], budgets: await budgetsOf(installation, nothingUsed) };
  const health = auditHealth(installation);
  const approvers = readableApprovers(installation);
  if (output.json) {
    const { session, lastRun, pending, budgets } = work;
    output.value({ project, enrolled: standing.enrolment?.enrolled_at ?? null, everything_denied: standing.denied ?? null, session: session === undefined ? null : sessionJson(session), last_run: lastRun ?? null, budgets: 'rows' in budgets ? budgets.rows : null, approvals_pending: pending, audit: health, proof: approvers === undefined ? null : approvers.length === 0 ? 'terminal' : 'approver_key' });
  } else tell(project, standing, work, { health, approvers }, output);
  return exitCode.done;
}

/** What stands behind records and decisions. */
interface Trust {
  readonly health: AuditHealth;
  /** Undefined when they cannot be read. */
  readonly approvers: readonly Approver[] | undefined;
}

function readableApprovers(installation: Installation): readonly Approver[] | undefined {
  try {
    return approversOf(installation);
  } catch {
    return undefined;
  }
}

/** How the project is enrolled; `denied` when it is not as it was, for then every action is. */
interface Standing {
  readonly enrolment: Enrolment | undefined;
  readonly denied?: { readonly reason: string; readonly hint: string };
}

function standingOf(installation: Installation, id: string): Standing {
  const { host: { disk }, home } = installation;
  let enrolment: Enrolment | undefined;
  try {
    enrolment = readEnrolment(disk, home.home, home.project(id));
    assertAsEnrolled(installation);
    return { enrolment };
  } catch (error) {
    if (!(error instanceof LokiError)) throw error;
    return { enrolment, denied: { reason: error.message, hint: error.hint } };
  }
}

function tell(project: { readonly id: string; readonly dir: string }, { enrolment, denied }: Standing, { session, lastRun, pending, budgets }: Work, { health, approvers }: Trust, output: Output): void {
  const { out } = output;
  if (denied !== undefined) {
    output.line(`${out.paint('red', 'EVERYTHING IS DENIED')}  ${printable(denied.reason)}`);
    output.line(`To repair it: ${printable(denied.hint)}`);
    output.line();
  }
  const rows: (readonly [string, string])[] = [
    ['Project', `${printable(project.dir)} (${project.id})`],
    ['Enrolled', enrolment === undefined && denied !== undefined ? out.paint('red', 'cannot be read') : enrolment === undefined ? out.paint('yellow', 'no; loki init enrols it') : `${enrolment.enrolled_at} by ${printable(enrolment.enrolled_by)}`],
    ...(session === undefined ? [['Session', 'none'] as const] : sessionRows(session, out)),
    ...(session !== undefined || lastRun === undefined ? [] : runRows(lastRun, out)),
    ...budgetCells(budgets, out),
    ['Approvals', pending.length === 0 ? 'none pending' : out.paint('yellow', `${pending.length} pending: ${pending.join(', ')}`)],
    ['Audit', health.troubles.length === 0 ? healthWords(health) : `${printable(healthWords(health))}  ${out.paint('red', printable(health.troubles.join('; ')))}; see: loki doctor audit`],
    ['Proof', approvers === undefined ? out.paint('red', 'the approver keys cannot be read: nothing can be decided; see: loki doctor approvals') : proofWords(approvers)],
  ];
  for (const line of columns(rows)) output.line(line);
}
