/** The policy in force for a project, and what it says of a context. Nothing is changed here. */
import { LokiError, type Problem } from '../../errors.ts';
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import { didYouMean } from '../../base/suggest.ts';
import { contextMistakes } from '../../policy/context.ts';
import { isEnforcementPoint } from '../../policy/fields.ts';
import type { Handler } from '../message.ts';
import { idOf, type QueryRules } from '../query.ts';
import { jsonResponse } from '../respond.ts';
import type { PolicyService } from '../services.ts';

export const policyRules: QueryRules = { project_id: idOf('project') };

/** Files with their digests, rules with their origin, mistakes with their places. */
export function policies(service: PolicyService): Handler {
  return async (request) => jsonResponse(await service.describe(request.query.get('project_id')));
}

const bodyMembers = ['point', 'context', 'explain'] as const;

/** The decision on one context, as `loki policy evaluate` gives it. */
export function evaluate(service: PolicyService): Handler {
  return async (request) => {
    const { point, context, explain } = readBody(request.body);
    return jsonResponse(await service.evaluate(request.query.get('project_id'), point, context, explain));
  };
}

function readBody(body: unknown): { readonly point: string; readonly context: JsonObject; readonly explain: boolean } {
  if (!isPlainObject(body)) throw refused([{ message: 'the body is an object with point and context' }]);
  const { point, context, explain = false } = { point: body['point'], context: body['context'], explain: body['explain'] };
  const problems = Object.keys(body).filter((name) => !bodyMembers.some((known) => known === name)).map((name): Problem => ({ message: `"${name.slice(0, 80)}" is not known here${didYouMean(name, bodyMembers)}` }));
  if (typeof point !== 'string') problems.push({ message: '"point" is the name of an enforcement point' });
  if (!isContext(context)) problems.push({ message: '"context" is an object of fields' });
  if (typeof point === 'string' && isEnforcementPoint(point) && isContext(context)) problems.push(...contextMistakes(context, point).map(({ message }): Problem => ({ message })));
  if (typeof explain !== 'boolean') problems.push({ message: '"explain" is true or false' });
  if (problems.length > 0 || typeof point !== 'string' || !isContext(context)) throw refused(problems);
  return { point, context, explain: explain === true };
}

/** A body is JSON, so whatever is in an object of it is JSON too. */
function isContext(value: unknown): value is JsonObject {
  return isPlainObject(value);
}

function refused(problems: readonly Problem[]): LokiError {
  return new LokiError('request.invalid', { attempted: 'evaluate a context', found: problems.map(({ message }) => message).join('; '), problems });
}
