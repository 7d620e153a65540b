/** The policy in force for a project, and what it says of a context. Nothing is changed here. */
import { LokiError, type Problem } from '../../errors.ts';
import { contextMistakes } from '../../policy/context.ts';
import { isEnforcementPoint } from '../../policy/fields.ts';
import { taking, type ApiRequest, type Handler, type Row } from '../message.ts';
import { idOf, type QueryRules } from '../query.ts';
import { anyObject, flag, record, text } from '../shape.ts';
import { jsonResponse } from '../respond.ts';
import type { Services } from '../services.ts';
import { requireProject } from './projects.ts';

export const policyRules: QueryRules = { project_id: idOf('project') };

/** Files with their digests, rules with their origin, mistakes with their places. */
export function policies({ policies: service, projects }: PolicyServices): Handler {
  return async (request) => jsonResponse(await service.describe(await projectOf(request, projects)));
}

const question = record({ point: text({ most: 100, example: 'pre_execution' }), context: anyObject('Fields of the enforcement point; docs/policy.md') }, { explain: flag() });

/** The decision on one context, as `loki policy evaluate` gives it. */
export function evaluate({ policies: service, projects }: PolicyServices): Pick<Row, 'body' | 'handle'> {
  return taking(question, async (request, { point, context, explain = false }) => {
    const problems = isEnforcementPoint(point) ? contextMistakes(context, point).map(({ message }): Problem => ({ message, pointer: '/context' })) : [];
    if (problems.length > 0) throw new LokiError('request.invalid', { attempted: 'evaluate a context', found: problems.map(({ message }) => message).join('; '), problems });
    return jsonResponse(await service.evaluate(await projectOf(request, projects), point, context, explain));
  });
}

type PolicyServices = Pick<Services, 'policies' | 'projects'>;

/** The project asked about. Without one it is the control plane's own, which is no tenant's. */
async function projectOf(request: ApiRequest, projects: PolicyServices['projects']): Promise<string | undefined> {
  const project = request.query.get('project_id');
  if (request.principal.tenant === null) return project;
  if (project === undefined) throw new LokiError('request.invalid', { attempted: 'find the policy', found: 'no project is named', hint: 'Add ?project_id=ID' });
  await requireProject(request, projects, project);
  return project;
}
