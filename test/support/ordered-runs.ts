/** Runs that are ordered over a real LOKI_HOME, for tests of workers. */
import { openRecord } from '../../lib/app/audit/record.ts';
import { openStore } from '../../lib/app/store.ts';
import { openWorker, type Seen, type WorkerOptions } from '../../lib/app/worker.ts';
import { orderRun, type RunDraft } from '../../lib/runs/orders.ts';
import { readRun } from '../../lib/runs/progress.ts';
import { runKeys, type Run } from '../../lib/runs/run.ts';
import { tenantView } from '../../lib/store/tenant-view.ts';
import { makeGround, type Ground } from './ground.ts';

/** A program that does nothing, and no council. */
export const usual: string = 'runs:\n  provider: {name: command, command: "cat > /dev/null; echo done"}\n  council: {reviewers: [], required: 0}\n  max_iterations: 3\n';

/** A project whose run takes three calls of a program. */
export async function workerGround(t: Parameters<typeof makeGround>[0], config: string = usual): Promise<Ground> {
  const made = makeGround(t);
  made.write('project/prd.md', 'Build it\n');
  made.write('home/config.yaml', config);
  await made.enrol();
  return made;
}

export interface OpenParts {
  readonly installation: ReturnType<Ground['installation']>;
  readonly root: Awaited<ReturnType<typeof openStore>>;
  readonly record: ReturnType<typeof openRecord>['record'];
}

/** The store and the log as the control plane has them, for as long as `work` takes. */
export async function opened<T>(made: Ground, work: (parts: OpenParts) => Promise<T>): Promise<T> {
  const installation = made.installation();
  const log = openRecord(installation);
  const root = await openStore(installation, log.record);
  try {
    return await work({ installation, root, record: log.record });
  } finally {
    await root.close();
    await log.close();
  }
}

/** Orders a run as the API does; gives its id. */
export const order = (made: Ground, more: Partial<RunDraft> = {}): Promise<string> => opened(made, async ({ installation, root, record }) => {
  const { run } = await orderRun({ ...installation.host, record, root }, { project_id: installation.project?.id ?? '', tenant_id: null, trigger: 'api', terms: {}, actor: 'token:ci', ...more });
  return run.id;
});

export const runOf = (made: Ground, id: string, tenant: string | null = null): Promise<Run> => opened(made, async ({ root }) => readRun((await tenantView(root, tenant).get(runKeys.run(id)))?.value ?? null));

/** One look of a worker in this process. */
export async function see(made: Ground, id: string, options: Partial<WorkerOptions> = {}): Promise<Seen | undefined> {
  const worker = await openWorker(made.installation(), { signal: new AbortController().signal, ...options });
  try {
    return await worker.see(id);
  } finally {
    await worker.close();
  }
}

