/**
 * A line of the log as what is sent: its facts, its text, its severity. Lines that are no entries are sent too, as a stub
 * that says so: a receiver must see that something stands there. So are entries that are too long for a message: they are
 * never cut.
 */
import { sha256Hex } from '../../base/digest.ts';
import { isPlainObject, isTooDeep, type JsonObject } from '../../base/json.ts';
import { facilityCodes, rfc3164, rfc3164Untagged, rfc5424, type SyslogMessage, type SyslogSeverity } from '../../formats/syslog.ts';
import { isEventName, isSecurityRelevant } from '../events.ts';
import type { LogLine } from './reader.ts';
import type { Witnessed } from './witness.ts';

/** What is sent of one line. */
export interface Outgoing {
  /** -1 for a line that is no entry. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number | undefined;
  readonly event: string;
  readonly severity: SyslogSeverity;
  readonly host: string;
  readonly pid: string;
  /** Empty when the entry carries none. */
  readonly chainHash: string;
  /** The entry as JSON: the line as it was written, or opened where it was protected. */
  readonly text: string;
  readonly entry: JsonObject;
  /** Of the line in the log. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Opens what is protected, as far as keys are at hand; gives the same object where nothing is. */
export type OpenEntry = (entry: JsonObject) => JsonObject;

/** More of a name that is no event's is not repeated beside the entry itself. */
const longestEvent = 64;

const unopened: OpenEntry = (entry) => entry;

/** Reads a line. `host` stands in for the host name where the line has none. */
export function outgoingOf(line: LogLine, host: string, open: OpenEntry = unopened): Outgoing {
  const written = parseEntry(line);
  const sha256 = line.bytes.length === line.length ? sha256Hex(line.bytes) : '';
  if (written === undefined) {
    const entry = { unreadable: true, file: line.file, offset: line.offset, sha256, bytes: line.length };
    return { seq: -1, time: undefined, event: 'unreadable', severity: 4, host, pid: '', chainHash: '', text: JSON.stringify(entry), entry, sha256, bytes: line.length };
  }
  const entry = open(written);
  const metadata = isPlainObject(entry['metadata']) ? entry['metadata'] : {};
  const event = textOf(entry['event']).slice(0, longestEvent);
  const pid = metadata['pid'];
  return {
    seq: line.seq, time: timeOf(entry['timestamp']), event, severity: severityOf(event, entry['level']),
    host: textOf(metadata['hostname']) || host, pid: typeof pid === 'number' ? String(pid) : '',
    chainHash: /^[0-9a-f]{64}$/.exec(textOf(entry['chain_hash']))?.[0] ?? '', text: entry === written ? onOneLine(line.bytes) : JSON.stringify(entry), entry, sha256, bytes: line.length,
  };
}

/** A JSON object in well-formed UTF-8 that begins with its number; undefined for anything else. */
function parseEntry({ bytes, length, seq }: LogLine): JsonObject | undefined {
  if (seq < 0 || bytes.length !== length || isTooDeep(bytes)) return undefined;
  try {
    const value: JsonObject | null = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** As it was written. Line ends and tabs, which JSON allows between its words and this program never writes, become spaces: some receivers would end the message there. */
function onOneLine(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/[\t\r\n]/g, ' ');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** Contract section 4: an error is ERR, what a SIEM should see is WARNING, the rest INFO. */
function severityOf(event: string, level: unknown): SyslogSeverity {
  if (level === 'error') return 3;
  return isEventName(event) && isSecurityRelevant(event) ? 4 : 6;
}

/** What stands in place of an entry that is too long for a message. */
export function stubOf({ seq, event, chainHash, sha256, bytes }: Outgoing): string {
  return JSON.stringify({ stub: true, seq, event, chain_hash: chainHash, sha256, bytes });
}

export type SyslogForm = 'rfc5424' | 'rfc3164' | 'cef';

/** How messages are made. */
export interface SyslogStyle {
  readonly form: SyslogForm;
  readonly facility: keyof typeof facilityCodes;
  /** Octets that a message may have. */
  readonly longest: number;
  /** An entry as a line of CEF; called for that form only. */
  readonly cef: (entry: JsonObject) => string;
}

/** RFC 5612: the number for examples in documentation, as nobody registered one for this program. */
const dataId = 'loki@32473';

/** The message of an entry, at most `longest` octets. */
export function syslogMessage(outgoing: Outgoing, head: Witnessed | undefined, style: SyslogStyle): Uint8Array {
  const message: SyslogMessage = {
    facility: facilityCodes[style.facility], severity: outgoing.severity, time: outgoing.time, host: outgoing.host, app: 'loki',
    processId: outgoing.pid, messageId: outgoing.event, data: [{ id: dataId, parameters: parametersOf(outgoing, head) }], text: outgoing.text,
  };
  const whole = print(message, outgoing, style, head);
  if (whole.length <= style.longest) return whole;
  return print({ ...message, text: stubOf(outgoing) }, undefined, style);
}

function print(message: SyslogMessage, outgoing: Outgoing | undefined, { form, cef }: SyslogStyle, head?: Witnessed): Uint8Array {
  if (form === 'rfc5424') return rfc5424(message);
  if (form === 'cef' && outgoing !== undefined && outgoing.seq >= 0) return rfc3164Untagged({ ...message, text: cefText(outgoing, head, cef) });
  return rfc3164(message);
}

/** Beside the mapping's own keys the checkpoint, in two that it leaves free. Control characters would end the message for some. */
function cefText({ entry }: Outgoing, head: Witnessed | undefined, cef: SyslogStyle['cef']): string {
  const witness = head === undefined ? '' : ` cn1Label=treeSize cn1=${head.size} flexString1Label=treeRoot flexString1=${head.root.replaceAll('=', '\\=')}`;
  return `${cef(entry)}${witness}`.replace(/[\x00-\x1f\x7f]/g, ' ');
}

function parametersOf({ seq, chainHash }: Outgoing, head: Witnessed | undefined): readonly (readonly [string, string])[] {
  return [
    ...(seq < 0 ? [] : [['seq', String(seq)]] as const), ...(chainHash === '' ? [] : [['chain_hash', chainHash]] as const),
    ...(head === undefined ? [] : [['tree_size', String(head.size)], ['tree_root', head.root]] as const),
  ];
}
