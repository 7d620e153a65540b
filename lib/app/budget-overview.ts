/** The budgets of projects, as people are shown them. */
import { messageOf } from '../errors.ts';
import type { JsonObject } from '../base/json.ts';
import { budgetRows, type BudgetRow } from '../budgets/overview.ts';
import { listEnrolments } from '../gate/enrolment.ts';
import { readTenantOf } from '../gate/tenancy.ts';
import { runKeys } from '../runs/run.ts';
import { readSession } from '../runs/session.ts';
import type { Store } from '../store/store.ts';
import { openLedger } from './budgets.ts';
import { openInstallation, type Installation } from './installation.ts';
import { createPolicySource } from './policy.ts';

/** What is needed of a store to look. */
type Looking = Pick<Store, 'get' | 'list' | 'transact'>;

/** A project's budgets, or why they cannot be told: a policy or a configuration with mistakes. */
export type ProjectBudgets = { readonly rows: readonly BudgetRow[] } | { readonly problem: string };

/** Stands in where there is no store: nothing has been used. */
export const nothingUsed: Looking = {
  get: () => Promise.resolve(undefined),
  list: () => Promise.resolve([]),
  transact: () => Promise.reject(new Error('looking changes nothing')),
};

/** The budgets of the project at hand. */
export async function budgetsOf(installation: Installation, store: Looking): Promise<ProjectBudgets> {
  const { project } = installation;
  if (project === undefined) return { rows: [] };
  const policy = createPolicySource(installation)();
  const [problem] = policy.problems;
  if (problem !== undefined) return { problem: `the policy cannot be used: ${problem.file === undefined ? '' : `${problem.file}: `}${problem.message}` };
  const session = await store.get(runKeys.session(project.id));
  const look = { projectId: project.id, ...(session === undefined ? {} : { sessionId: readSession(session.value).id }) };
  return { rows: await budgetRows(openLedger(installation, store), look, policy.rules.filter((rule) => rule.is === 'budget')) };
}

/**
 * The budgets of an enrolled project, or of all (with `tenant`, of all of that tenant's): one object a budget, each by the project's own configuration and policy. A project
 * whose budgets cannot be told is one object that says why, and keeps nobody from the others.
 */
export async function budgetsOfProjects(installation: Installation, storeOf: (tenant: string | null) => Looking, projectId: string | undefined, tenant: string | null = null): Promise<readonly JsonObject[]> {
  const { host: { disk }, home } = installation;
  const enrolled = listEnrolments(disk, home.home, home.projects)
    .map(({ id, path }) => ({ id, path, tenant: readTenantOf(disk, home, id) }))
    .filter((project) => (projectId === undefined || project.id === projectId) && (tenant === null || project.tenant === tenant));
  const found = await Promise.all(enrolled.map(async ({ id, path, tenant: owner }): Promise<readonly JsonObject[]> => {
    const budgets = await budgetsOfEnrolled(installation, storeOf(owner), id, path);
    return 'rows' in budgets ? budgets.rows : [{ project_id: id, problem: budgets.problem }];
  }));
  return found.flat();
}

async function budgetsOfEnrolled({ surroundings }: Installation, store: Looking, id: string, path: string): Promise<ProjectBudgets> {
  try {
    const there = openInstallation(surroundings, { project: path });
    return there.project?.id === id ? await budgetsOf(there, store) : { problem: `"${path}" leads to another directory than the one that was enrolled` };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
