/**
 * `loki doctor`: looks at each area, check by check, and says what was found and what repairs it. It changes nothing (one
 * scratch file beside the log is written and removed), works without LOKI_HOME, with a configuration that cannot be used
 * and with a damaged log, and reads a bounded part of it. Nothing is asked over the network unless an area is named that does.
 */
import { LokiError, messageOf } from '../../errors.ts';
import type { InstallationOptions, Surroundings } from '../installation.ts';
import { approvalChecks } from './approvals.ts';
import { fileChecks } from './audit-files.ts';
import { placeChecks } from './audit-place.ts';
import { proofChecks } from './audit-proofs.ts';
import { troubleChecks } from './audit-troubles.ts';
import type { Check, Outcome, Status } from './check.ts';
import { hookChecks } from './hooks.ts';
import { projectChecks } from './project.ts';
import { lookAround, type Scene } from './scene.ts';
import { syslogChecks } from './syslog.ts';
import { telemetryChecks } from './telemetry.ts';

export type Area = 'audit' | 'syslog' | 'telemetry' | 'project' | 'hooks' | 'approvals';

export const areaNames: readonly Area[] = ['audit', 'syslog', 'telemetry', 'project', 'hooks', 'approvals'];

/** What is looked at in each area, in this order. */
export const checksOf: Readonly<Record<Area, readonly Check[]>> = {
  audit: [...placeChecks, ...fileChecks, ...proofChecks, ...troubleChecks],
  syslog: syslogChecks,
  telemetry: telemetryChecks,
  project: projectChecks,
  hooks: hookChecks,
  approvals: approvalChecks,
};

/** What one check found. */
export interface Finding extends Outcome {
  readonly area: Area;
  readonly check: string;
  readonly about: string;
}

/** Looks at the areas, one check after the other. An area alone is one that somebody named. */
export async function examine(surroundings: Surroundings, options: InstallationOptions, areas: readonly Area[]): Promise<readonly Finding[]> {
  const scene = lookAround(surroundings, options, areas.length === 1);
  const findings: Finding[] = [];
  for (const area of areas) {
    for (const check of checksOf[area]) findings.push({ area, check: check.name, about: check.about, ...(await look(check, scene)) });
  }
  return findings;
}

/** A check that cannot look has found something too. */
async function look(check: Check, scene: Scene): Promise<Outcome> {
  try {
    return await check.look(scene);
  } catch (error) {
    return { status: 'fail', found: `it cannot be looked at: ${messageOf(error)}`, repair: error instanceof LokiError ? error.hint : 'Check permissions and the disk' };
  }
}

/** The worst of all. */
export function worstStatus(findings: readonly Outcome[]): Status {
  if (findings.some(({ status }) => status === 'fail')) return 'fail';
  return findings.some(({ status }) => status === 'warn') ? 'warn' : 'ok';
}
