/**
 * Telemetry of a command: one span from its beginning to its exit, what it records beside it. Opened by whatever asks first, for what
 * one command has open is one installation; handed over when the command has ended.
 */
import { contextIn } from '../../base/trace-context.ts';
import type { SpanContext } from '../../base/trace.ts';
import { attribute, spanNames } from '../../telemetry/names.ts';
import type { Installation } from '../installation.ts';
import type { EntryTelling } from './entries.ts';
import { openTelemetry, type ProcessTelemetry } from './telemetry.ts';

interface OpenedCommand {
  readonly telemetry: ProcessTelemetry;
  /** Of its span, which is made when it has ended. */
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
}

/**
 * Commands without a span: those that make no telemetry of their own (what is asked about telemetry, what runs again and again by itself), and
 * those that live long and tell of what they do.
 */
const untold: ReadonlySet<string> = new Set(['hook', 'telemetry', 'doctor', 'play', 'start', 'worker', 'dashboard', 'syslog send', 'webhooks send', 'audit keep', 'audit checkpoint']);

/** By the host, which is that of one opened installation whatever project it is used for. */
const opened = new WeakMap<Installation['host'], Promise<OpenedCommand>>();

function commandOf(installation: Installation): Promise<OpenedCommand> {
  const known = opened.get(installation.host);
  if (known !== undefined) return known;
  const opening = open(installation);
  opened.set(installation.host, opening);
  return opening;
}

async function open(installation: Installation): Promise<OpenedCommand> {
  const telemetry = await openTelemetry(installation, 'command');
  const parent = contextIn(installation.surroundings.env);
  // Begun for its ids, and to learn whether it is kept; what is never ended is never told.
  const { context } = telemetry.tracer.startSpan(spanNames.command(''), { parent });
  return { telemetry, context, parent };
}

/** Where what it records is told. */
export async function tellingOfCommand(installation: Installation): Promise<EntryTelling> {
  const { telemetry, context } = await commandOf(installation);
  return { logger: telemetry.logger, context };
}

/** The span that it is. */
export async function contextOfCommand(installation: Installation): Promise<SpanContext> {
  return (await commandOf(installation)).context;
}

/** It has ended: its span is told, and everything handed over. `startedAt`: milliseconds since 1970. Never rejects. */
export async function endCommand(installation: Installation, name: string, exit: number, startedAt: number): Promise<void> {
  const isTold = !untold.has(name) && !untold.has(name.split(' ')[0] ?? '');
  if (!isTold && !opened.has(installation.host)) return;
  try {
    const { telemetry, context: { traceId, spanId }, parent } = await commandOf(installation);
    if (isTold) {
      const span = telemetry.tracer.startSpan(spanNames.command(name), { parent, ids: { traceId, spanId }, startTime: startedAt, attributes: { [attribute.exitCode]: exit } });
      if (exit !== 0) span.setAttribute(attribute.errorType, `exit ${exit}`).setStatus('error');
      span.end();
    }
    await telemetry.end();
  } catch {
    // What is only told is no reason for a command to fail.
  }
}
