/**
 * Telemetry beside the log of record: whatever a process records it also tells, as a log record of OpenTelemetry. An entry is told once it is
 * recorded; that it cannot be told changes nothing. What is made of an entry, `log-records.ts` says, and is loaded only where telemetry is on.
 */
import { durabilityOf } from '../../audit/events.ts';
import { isWanted } from '../../audit/log.ts';
import type { AuditEvent, AuditReceipt, Recorder } from '../../audit/entry.ts';
import type { EventLogger, SpanContext } from '../../base/trace.ts';
import type { OpenLog } from '../audit/record.ts';
import type { Installation } from '../installation.ts';
import { isTelemetryOn, type ProcessTelemetry } from './telemetry.ts';

/** Where entries are told. */
export interface EntryTelling {
  readonly logger: EventLogger;
  /** The span of entries that name none. */
  readonly context?: SpanContext | undefined;
}

/** Where a process that has its telemetry open tells of what it records. */
export function tellingOf({ config, surroundings }: Installation, { logger }: Pick<ProcessTelemetry, 'logger'>): EntryTelling | undefined {
  return isTelemetryOn(config, surroundings.env) ? { logger } : undefined;
}

/** The log itself where nobody asked for telemetry. */
export function tellEntries(installation: Installation, log: OpenLog, given: EntryTelling | undefined): OpenLog {
  if (given === undefined && !isTelemetryOn(installation.config, installation.surroundings.env)) return log;
  const { excludeEvents, level } = installation.config.audit;
  const wanted = { exclude: new Set(excludeEvents), level };
  let opened: Promise<(event: AuditEvent, receipt: AuditReceipt, context: SpanContext | undefined) => void> | undefined;
  const record: Recorder = async (event, context) => {
    const receipt = await log.record(event);
    // What is best effort has no number yet.
    if (receipt.seq === null && (durabilityOf(event.event) !== 'info' || !isWanted(event, wanted))) return receipt;
    try {
      opened ??= openTeller(installation, given);
      (await opened)(event, receipt, context);
    } catch {
      // Recorded it is.
    }
    return receipt;
  };
  return { ...log, record };
}

async function openTeller(installation: Installation, given: EntryTelling | undefined): Promise<(event: AuditEvent, receipt: AuditReceipt, context: SpanContext | undefined) => void> {
  const [{ logRecordOf }, { logger, context: usual }] = await Promise.all([import('./log-records.ts'), given ?? import('./command.ts').then(({ tellingOfCommand }) => tellingOfCommand(installation))]);
  const isSealed = (await import('../audit/record.ts')).sealsEntries(installation);
  return (event, receipt, context) => logger.emit(logRecordOf(event, receipt, { isSealed, context: context ?? usual }));
}
