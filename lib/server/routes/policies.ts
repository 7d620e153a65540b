/** The policy in force for a project: what it is, another in its place, and what it says of a context. */
import { LokiError, type Problem } from '../../errors.ts';
import { contextMistakes } from '../../policy/context.ts';
import { isEnforcementPoint } from '../../policy/fields.ts';
import { taking, type ApiRequest, type Handler, type Row } from '../message.ts';
import { idOf, type QueryRules } from '../query.ts';
import { anyObject, flag, record, text } from '../shape.ts';
import type { FreshProof } from '../../approvals/proof.ts';
import { tagOf } from '../objects.ts';
import type { Principal } from '../principal.ts';
import { jsonResponse, objectResponse } from '../respond.ts';
import type { Services } from '../services.ts';
import { requireProject } from './projects.ts';

export const policyRules: QueryRules = { project_id: idOf('project') };

/** Files with their digests, rules with their origin, mistakes with their places. */
export function policies({ policies: service, projects }: PolicyServices): Handler {
  return async (request) => {
    const project = await projectOf(request, projects);
    return objectResponse(await service.describe(project), `policies/${project ?? ''}`, request.headers.get('if-none-match'));
  };
}

/** Far larger than any policy, and than what the loader takes. */
const longestPolicy = 1 << 20;
const wish = record({ text: text({ most: longestPolicy, lines: true, about: 'The policy, as YAML or JSON as the project has it' }) });

/** Another policy for a project, by an administrator with a fresh proof. */
export function replace({ policies: service, projects, assertFresh }: PolicyServices & Pick<Services, 'assertFresh'>): Pick<Row, 'body' | 'handle'> {
  return taking(wish, async (request, { text: policy }) => {
    const project = request.query.get('project_id');
    if (project === undefined) throw new LokiError('request.invalid', { attempted: 'replace the policy', found: 'no project is named', hint: 'Add ?project_id=ID' });
    await requireProject(request, projects, project);
    const { principal } = request;
    assertFresh(principal, 'replace the policy');
    const wanted = request.headers.get('if-match');
    const place = `policies/${project}`;
    if (wanted !== undefined && wanted !== tagOf(place, JSON.stringify(await service.describe(project)))) throw new LokiError('request.stale', { attempted: 'replace the policy', found: 'it is not the one that If-Match names' });
    await service.replace(project, policy, { by: principal.actor, prove: () => proofOf(principal) });
    return objectResponse(await service.describe(project), place, undefined);
  });
}

function proofOf({ keyId, authTime, actor }: Principal): FreshProof {
  return authTime === undefined ? { kind: 'api_key', key: keyId ?? actor } : { kind: 'sign_on', auth_time: new Date(authTime).toISOString() };
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
