/** The budgets of projects, page by page. They are no stored objects: each call looks how they stand now. */
import type { Handler } from '../message.ts';
import { requireProject } from './projects.ts';
import { pageRequest, pageResponse } from '../page.ts';
import type { Services } from '../services.ts';

export function list({ budgets, projects }: Pick<Services, 'budgets' | 'projects'>): Handler {
  return async (request) => {
    const { limit, offset, after } = pageRequest(request);
    const project = request.query.get('project_id');
    // Another tenant's project has no budgets that this principal could know of, as one that does not exist has none.
    if (project !== undefined && request.principal.tenant !== null) await requireProject(request, projects, project);
    const rows = await budgets(project, request.principal.tenant);
    const from = offset + (after === undefined ? 0 : Number(after));
    const until = from + limit;
    return pageResponse(request, rows.slice(from, until), until < rows.length ? String(until) : undefined);
  };
}
