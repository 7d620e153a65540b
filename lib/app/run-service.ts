/**
 * What the API does to runs: order, cancel, replay, and take what a run's own process reports. It trusts the server to have told who
 * asks and of which tenant; it finds the project's directory itself, and takes no path and no command line from anybody.
 */
import { scanners } from '../policy/scan/scanners.ts';
import { appendEvents } from '../runs/append.ts';
import { runWithToken } from '../runs/token.ts';
import { cancelRun } from '../runs/cancel.ts';
import { allowedEnvironment } from '../runs/environment.ts';
import { hasGit, openRepository } from '../runs/git.ts';
import { orderRun, termsOf } from '../runs/orders.ts';
import { readRun } from '../runs/progress.ts';
import { unqueue } from '../runs/queue.ts';
import { replayRun } from '../runs/replay.ts';
import { runKeys, type Run } from '../runs/run.ts';
import type { RunService } from '../server/services.ts';
import type { Store } from '../store/store.ts';
import { tenantView } from '../store/tenant-view.ts';
import { roomOf } from './agents.ts';
import type { OpenLog } from './audit/record.ts';
import { circumstancesOf } from './circumstances.ts';
import type { Installation } from './installation.ts';
import { installationFor } from './order-terms.ts';
import { walkThrough } from './provider.ts';
import { projectPlace } from './project-place.ts';
import { settingsOf } from './session.ts';

export interface RunServiceParts {
  readonly installation: Installation;
  /** The whole store. */
  readonly root: Store;
  readonly record: OpenLog['record'];
  /** Called when something waits for a worker. */
  readonly ordered: () => void;
}

export function runService({ installation, root, record, ordered }: RunServiceParts): RunService {
  const { host, home } = installation;
  const deps = { ...host, record, root };
  return {
    async order({ project_id, tenant, document, terms, trigger, actor, requestId, trace }, commit) {
      const dir = await projectPlace(installation, { project_id, tenant_id: tenant, store: tenantView(root, tenant) }, 'order a run');
      installationFor(installation, dir, terms);
      const made = await orderRun({ ...deps, commit }, { project_id, tenant_id: tenant, trigger, terms, actor, requestId, trace, ...(document === undefined ? {} : { document }) });
      ordered();
      return made;
    },
    async cancel(tenant, runId, actor) {
      const run = await cancelRun({ ...deps, store: tenantView(root, tenant), home: home.home, forgetSession: (id) => roomOf(installation, id).remove() }, runId, actor);
      await unqueue(root, runId);
      return run;
    },
    async replay(tenant, runId, by, commit) {
      const store = tenantView(root, tenant);
      const entry = await store.get(runKeys.run(runId));
      const parent = entry === undefined ? undefined : readRun(entry.value);
      const dir = parent === undefined ? '' : await projectPlace(installation, { project_id: parent.project_id, tenant_id: tenant, store }, `replay run ${runId}`);
      const made = await replayRun({ ...deps, store, commit }, { runId, ...by, dir, now: (provider) => surroundingsOf(installation, dir, parent, provider) });
      ordered();
      return made;
    },
    append: (tenant, runId, events) => appendEvents({ ...deps, store: tenantView(root, tenant), redact: (text) => scanners.redact(text) }, runId, events),
    runOf: (token) => runWithToken(root, token),
  };
}

/** What a repeated run would begin with now. The terms of its parent are asked for again: what is not allowed any more is refused. */
async function surroundingsOf(installation: Installation, dir: string, parent: Run | undefined, provider: string): ReturnType<Parameters<typeof replayRun>[1]['now']> {
  const { host: { spawn, disk }, surroundings } = installation;
  const project = installationFor(installation, dir, parent === undefined ? {} : termsOf(parent));
  const { gates, council, branch_protection } = settingsOf(project);
  const ports = { spawn, disk, projectDir: dir, env: allowedEnvironment(surroundings.env) };
  const repository = hasGit(ports) ? await openRepository(ports) : undefined;
  return {
    circumstances: circumstancesOf(project)(provider), commit: await repository?.head() ?? null,
    // A script that a person named is a file of theirs: what is ordered over the network plays none.
    settings: { gates: [...gates], council, branch_protection, provider_settings: provider === 'scripted' ? { script: walkThrough() } : {} },
  };
}
