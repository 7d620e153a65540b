/**
 * Webhooks of approvals, put together: what a change of an approval puts into the spool, who sends it, and the secret it is
 * signed with. Whoever lives long sends; any other process that has put something in leaves `loki webhooks send` behind when it
 * ends. Nobody waits for a receiver. What sends is loaded only where something waits.
 */
import type { Recorder } from '../audit/entry.ts';
import { LokiError } from '../errors.ts';
import { isPlainObject } from '../base/json.ts';
import { join } from '../base/paths.ts';
import { noTracer, type Tracer } from '../base/trace.ts';
import { parseWebhookSecret, webhookSecret, webhookSecretBytes } from '../base/webhook-signature.ts';
import { approvalKeys } from '../approvals/approval.ts';
import type { ApprovalObjects } from '../approvals/ports.ts';
import type { Announce } from '../approvals/ledger.ts';
import type { DeliverReport } from '../approvals/webhooks/deliver.ts';
import { messageOf } from '../approvals/webhooks/message.ts';
import { readWaiting, spool, waitingNames, type SpoolPlace } from '../approvals/webhooks/spool.ts';
import { leaveBehind } from './audit/leave-behind.ts';
import type { Installation } from './installation.ts';
import { version } from './version.ts';

export function spoolPlace({ host: { disk }, home }: Installation): SpoolPlace {
  return { disk, base: home.home, directory: join(home.spool, 'webhooks') };
}

/** Puts each change of an approval that has a webhook into the spool. What cannot be put in is told, and holds nothing up. */
export function announcer(installation: Installation, objects: ApprovalObjects, record: Recorder): Announce {
  return async (step) => {
    try {
      const kept = await objects.get(approvalKeys.webhook(step.view.id));
      const url = isPlainObject(kept?.value) ? kept.value['url'] : undefined;
      if (typeof url === 'string') spool(spoolPlace(installation), messageOf(step), url, installation.host.clock.now());
    } catch (error) {
      const found = error instanceof LokiError ? error.message : 'it could not be put into the spool';
      await record({ event: 'integration.fail', actor: 'system', resource: `approval:${step.view.id}`, details: { what: 'webhook', type: step.event.event, found, gives_up: true } }).catch(() => undefined);
    }
  };
}

/** So many files are looked at to see whether something is due: with more waiting, one of them is. */
const mostLookedAt = 20;

export function isDeliveryDue(installation: Installation): boolean {
  const place = spoolPlace(installation);
  const now = installation.host.clock.now();
  const names = waitingNames(place);
  return names.length > mostLookedAt || names.some((name) => { const next = readWaiting(place, name)?.nextTry ?? null; return next !== null && next <= now; });
}

/** A process that is about to end leaves the sending behind, when something is due. Never throws. */
export function leaveDelivering(installation: Installation): void {
  try {
    if (isDeliveryDue(installation)) leaveBehind(installation, ['webhooks', 'send', '--quiet']);
  } catch {
    return;
  }
}

const lockPathOf = ({ home }: Installation): string => join(home.run, 'webhooks');

export interface DeliverOnce {
  readonly all?: boolean;
  readonly signal?: AbortSignal;
  readonly tracer?: Tracer;
}

/** Sends what is due; undefined when another process is at it. */
export async function deliverOnce(installation: Installation, record: Recorder, { tracer = noTracer, ...options }: DeliverOnce = {}): Promise<DeliverReport | undefined> {
  const { host: { clock, random, lock }, config: { egress, residency } } = installation;
  const alone = lock(lockPathOf(installation));
  try {
    await alone.acquire(0);
  } catch (error) {
    if (error instanceof LokiError && error.code === 'lock.timeout') return undefined;
    throw error;
  }
  try {
    const [{ deliverDue }, { sockets }] = await Promise.all([import('../approvals/webhooks/deliver.ts'), import('../host/sockets.ts')]);
    return await deliverDue({
      spool: spoolPlace(installation), sockets, clock, random, record, tracer, rules: { allowed: egress.allowInternal, airGapped: residency.airGapped },
      secrets: () => webhookSecrets(installation), userAgent: `loki-enterprise/${version}`,
    }, options);
  } finally {
    alone.release();
  }
}

/** Delivering beside a process that goes on. */
export interface RunningDelivery {
  /** Sends what is due now, and ends. What is under way is waited for, two seconds at most. */
  stop(): Promise<void>;
}

const lookEveryMs = 1000;
const lastWordsMs = 2000;

/** Looks for what is due every second. No timer of it keeps the process alive. */
export function startDelivering(installation: Installation, record: Recorder, tracer: Tracer): RunningDelivery {
  const { timers } = installation.host;
  const stopping = new AbortController();
  let underWay: Promise<unknown> = Promise.resolve();
  let isBusy = false;
  const look = (): void => {
    if (isBusy || !isDueSafely(installation)) return;
    isBusy = true;
    underWay = deliverOnce(installation, record, { signal: stopping.signal, tracer }).catch(() => undefined).finally(() => { isBusy = false; });
  };
  const cancel = timers.every(lookEveryMs, look);
  return {
    async stop() {
      cancel();
      look();
      await Promise.race([underWay, timers.sleep(lastWordsMs)]);
      stopping.abort();
    },
  };
}

function isDueSafely(installation: Installation): boolean {
  try {
    return isDeliveryDue(installation);
  } catch {
    return false;
  }
}

const largestSecretFile = 1024;

function secretPath({ home }: Installation): string {
  return join(home.keys, 'webhook.secret');
}

/** The secrets messages are signed with, the newest first; made when there is none. Throws `io.failed` for a damaged file. */
export function webhookSecrets(installation: Installation): readonly Uint8Array[] {
  const known = readSecretLines(installation);
  const lines = known ?? [makeSecret(installation)];
  return lines.map((line) => {
    const secret = parseWebhookSecret(line);
    if (secret === undefined) throw new LokiError('io.failed', { attempted: `use "${secretPath(installation)}"`, found: 'it holds something else than webhook secrets', hint: 'Restore it from a copy, or remove it: loki webhooks secret then makes a new one' });
    return secret;
  });
}

/** The newest secret as receivers are given it. */
export function newestSecret(installation: Installation): string {
  const [newest] = webhookSecrets(installation);
  return webhookSecret(newest ?? new Uint8Array());
}

/** Makes a new secret. Messages are signed with it and with the one before, so that receivers can change over in their time. */
export async function rotateSecret(installation: Installation, record: Recorder, by: string): Promise<void> {
  const { host: { disk, random }, home } = installation;
  const [before] = webhookSecrets(installation);
  const lines = [webhookSecret(random.bytes(webhookSecretBytes)), ...(before === undefined ? [] : [webhookSecret(before)])];
  await record({ event: 'auth.token.rotate', actor: by, resource: 'key:webhook', details: { what: 'webhook secret' } });
  disk.replace(home.home, secretPath(installation), Buffer.from(lines.map((line) => `${line}\n`).join('')), 0o600);
}

function readSecretLines(installation: Installation): readonly string[] | undefined {
  const { host: { disk }, home } = installation;
  const bytes = disk.readRecord(home.home, secretPath(installation), largestSecretFile);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8').split('\n').filter((line) => line !== '');
}

/** Two processes that make it at once end up with the same one. */
function makeSecret(installation: Installation): string {
  const { host: { disk, random }, home } = installation;
  disk.ensureDirectory(home.home, home.keys, 0o700);
  try {
    disk.create(home.home, secretPath(installation), Buffer.from(`${webhookSecret(random.bytes(webhookSecretBytes))}\n`), 0o600);
  } catch (error) {
    if (!(error instanceof LokiError) || error.code !== 'conflict') throw error;
  }
  const [made] = readSecretLines(installation) ?? [];
  if (made === undefined) throw new LokiError('io.failed', { attempted: 'make the webhook secret', found: 'the file is not there after writing it' });
  return made;
}
