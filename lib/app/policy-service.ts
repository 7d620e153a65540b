/** The policies of this machine's projects, for the API: what is in force, and what it says of a context. */
import { LokiError } from '../errors.ts';
import type { PolicyDecision } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';
import type { PolicyService } from '../server/services.ts';
import { projectLayout } from '../config/layout.ts';
import { readEnrolment } from '../gate/enrolment.ts';
import type { Installation } from './installation.ts';
import { replacePolicy } from './replace-policy.ts';
import { changeSinceEnrolment, loadLayers, pinnedPolicy, policyOf, readLayers } from './policy.ts';

/** Files are read at each call, as the gate reads them at each action. */
export function policyService(installation: Installation): PolicyService {
  return {
    async describe(projectId) {
      const here = inProject(installation, projectId);
      const policy = policyOf(here, loadLayers(readLayers(here)));
      return {
        project_id: here.project?.id ?? null, digest: policy.digest, strict: policy.strict, changed_since_enrolment: changeSinceEnrolment(here) ?? null,
        files: policy.files.map(({ filename, layer, digest, rules, tests }) => ({ filename, layer, digest, rules: rules.length, tests: tests.length })),
        problems: policy.problems.map(({ message, file, line, column, hint }) => ({ message, file: file ?? null, line: line ?? null, column: column ?? null, hint: hint ?? null })),
        rules: policy.rules.map(({ name, point, layer, place, action, monitor, when, rule }) => ({ name, point, layer, place, action, monitor, when: when?.text ?? null, rule: rule?.text ?? null })),
      };
    },
    async replace(projectId, text, who) {
      await replacePolicy(inProject(installation, projectId), text, who);
    },
    async evaluate(projectId, point, context, explain) {
      const here = inProject(installation, projectId);
      return decisionDocument(pinnedPolicy(here, policyOf(here, loadLayers(readLayers(here)))).evaluate(point, context, { explain }));
    },
  };
}

/** The installation as it is for another project. */
function inProject(installation: Installation, projectId: string | undefined): Installation {
  if (projectId === undefined || projectId === installation.project?.id) return installation;
  const { host: { disk }, home } = installation;
  const enrolment = readEnrolment(disk, home.home, home.project(projectId));
  if (enrolment === undefined) throw new LokiError('not_found', { attempted: `find project "${projectId}"`, found: 'no project with this id is enrolled', hint: 'Enrol it with loki init, in its directory on the machine of the control plane' });
  return { ...installation, project: { id: enrolment.id, dir: enrolment.path }, layout: projectLayout(enrolment.path) };
}

/** A decision holds nothing but JSON. */
function decisionDocument(decision: PolicyDecision): JsonObject {
  const document: JsonObject = JSON.parse(JSON.stringify(decision));
  return document;
}
