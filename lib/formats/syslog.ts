/**
 * Syslog messages as bytes: RFC 5424, the older form of RFC 3164, and the octet-counted frame of RFC 6587 and RFC 5425 for
 * streams. A value that a field cannot hold is made to fit; the text of a message is never changed, and never cut.
 */

/** Codes by the names of syslog.conf (RFC 5424 table 1). */
export const facilityCodes = {
  kern: 0, user: 1, daemon: 3, auth: 4, syslog: 5, authpriv: 10,
  local0: 16, local1: 17, local2: 18, local3: 19, local4: 20, local5: 21, local6: 22, local7: 23,
} as const;

/** RFC 5424 table 2, as far as it is used: error, warning, informational. */
export type SyslogSeverity = 3 | 4 | 6;

/** One message. Texts may hold anything: what its field cannot carry is replaced or left out. */
export interface SyslogMessage {
  /** 0 to 23. */
  readonly facility: number;
  readonly severity: SyslogSeverity;
  /** Milliseconds since the epoch; undefined when nobody knows. */
  readonly time: number | undefined;
  readonly host: string;
  readonly app: string;
  readonly processId: string;
  /** Kind of message. */
  readonly messageId: string;
  readonly data: readonly StructuredData[];
  /** The message itself, UTF-8. */
  readonly text: string;
}

/** One SD-ELEMENT: `name@<enterprise number>` and its parameters. */
export interface StructuredData {
  readonly id: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** RFC 5424 6.2: nothing is known. */
const nil = '-';
/** RFC 5424 6.4: a message in UTF-8 begins with it. */
const byteOrderMark = '\ufeff';
const longest = { host: 255, app: 48, processId: 128, messageId: 32, name: 32 } as const;

/** `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA BOM MSG` (RFC 5424 section 6). */
export function rfc5424(message: SyslogMessage): Uint8Array {
  const time = message.time === undefined ? nil : new Date(message.time).toISOString();
  const header = [
    `<${priority(message)}>1`, time, visible(message.host, longest.host), visible(message.app, longest.app),
    visible(message.processId, longest.processId), visible(message.messageId, longest.messageId), structuredData(message.data),
  ];
  return Buffer.from(`${header.join(' ')} ${byteOrderMark}${message.text}`, 'utf8');
}

/** `<PRI>Mmm dd hh:mm:ss host app[pid]: text` (RFC 3164 section 4.1). The time is this machine's local one, as that RFC wants it. */
export function rfc3164(message: SyslogMessage): Uint8Array {
  const tag = visible(message.app, 32).replace(/[^A-Za-z0-9_.-]/g, '?');
  const process = message.processId === '' ? '' : `[${visible(message.processId, 20).replace(/[[\]:]/g, '?')}]`;
  return Buffer.from(`${oldHeader(message)} ${tag}${process}: ${message.text}`, 'utf8');
}

/** `<PRI>Mmm dd hh:mm:ss host text`: the form in which CEF is sent, whose text says itself what made it. */
export function rfc3164Untagged(message: SyslogMessage): Uint8Array {
  return Buffer.from(`${oldHeader(message)} ${message.text}`, 'utf8');
}

/** `LENGTH SP MESSAGE`, the length in octets (RFC 6587 section 3.4.1, RFC 5425 section 4.3). */
export function octetCounted(message: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${message.length} `, 'latin1'), message]);
}

function priority({ facility, severity }: SyslogMessage): number {
  return facility * 8 + severity;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function oldHeader(message: SyslogMessage): string {
  const at = new Date(message.time ?? 0);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
  return `<${priority(message)}>${months[at.getMonth()]} ${String(at.getDate()).padStart(2, ' ')} ${clock} ${visible(message.host, longest.host)}`;
}

/** PRINTUSASCII, 1 to `most` characters; NILVALUE when there is nothing. */
function visible(text: string, most: number): string {
  return text.slice(0, most).replace(/[^\x21-\x7e]/g, '?') || nil;
}

function structuredData(elements: readonly StructuredData[]): string {
  if (elements.length === 0) return nil;
  return elements.map(({ id, parameters }) => {
    const values = parameters.map(([name, value]) => ` ${nameOf(name)}="${escaped(value)}"`);
    return `[${nameOf(id)}${values.join('')}]`;
  }).join('');
}

/** SD-NAME: visible ASCII without `=`, space, `]` and `"`. */
function nameOf(text: string): string {
  return visible(text, longest.name).replace(/[=\]"]/g, '?');
}

/** RFC 5424 6.3.3: exactly `"`, `\` and `]` are escaped. */
function escaped(value: string): string {
  return value.replace(/["\\\]]/g, '\\$&');
}
