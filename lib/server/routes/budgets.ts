/** The budgets of projects, page by page. They are no stored objects: each call looks how they stand now. */
import type { Handler } from '../message.ts';
import { pageRequest, pageResponse } from '../page.ts';
import type { Services } from '../services.ts';

export function list({ budgets }: Pick<Services, 'budgets'>): Handler {
  return async (request) => {
    const { limit, offset, after } = pageRequest(request);
    const rows = await budgets(request.query.get('project_id'));
    const from = offset + (after === undefined ? 0 : Number(after));
    const until = from + limit;
    return pageResponse(request, rows.slice(from, until), until < rows.length ? String(until) : undefined);
  };
}
