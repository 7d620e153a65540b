/**
 * Every error the product raises on purpose. One closed set of codes, and one table that says what each code means to an
 * HTTP client (status), to a shell (exit code) and to a person (what to do next). Nothing else in the program chooses a
 * status or an exit code for a failure.
 */

/** What a code means outside: HTTP status, process exit code (contract section 5), and the hint used when none is given. */
export interface ErrorMeaning {
  readonly status: number;
  readonly exit: number;
  readonly hint: string;
}

/** Exit codes of the `loki` command, by meaning. */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  denied: 3,
  notAllowed: 4,
  approval: 5,
  tampered: 6,
  incomplete: 7,
  unreachable: 8,
  interrupted: 130,
} as const;

const meanings = {
  'usage': { status: 400, exit: 2, hint: 'See loki --help' },
  'yaml.invalid': { status: 400, exit: 2, hint: 'Correct the marked place; docs/formats/yaml.md lists what this reader supports' },
  'json.invalid': { status: 400, exit: 2, hint: 'Send one well-formed JSON value' },
  'config.invalid': { status: 400, exit: 2, hint: 'Correct the named setting; docs/config.md lists every key' },
  'config.untrusted': { status: 403, exit: 2, hint: 'Read the commands, then confirm them with: loki trust' },
  'policy.invalid': { status: 400, exit: 2, hint: 'Run: loki policy check' },
  'policy.unreadable': { status: 500, exit: 2, hint: 'Make the policy file readable, then run: loki policy check' },
  'policy.denied': { status: 403, exit: 3, hint: 'Change the action, or the policy rule named in the reason' },
  'project.unknown': { status: 404, exit: 2, hint: 'Run loki init in the project, or name it with --project DIR' },
  'project.changed': { status: 409, exit: 3, hint: 'Look at the difference, then enrol the project again with: loki init' },
  'action.invalid': { status: 400, exit: 2, hint: 'Send one action as described in docs/hooks.md' },
  'approval.needed': { status: 403, exit: 5, hint: 'Ask an approver to run: loki approve ID' },
  'approval.rejected': { status: 403, exit: 5, hint: 'Change the action, or ask again with a better reason' },
  'approval.decided': { status: 409, exit: 5, hint: 'See the outcome with: loki approvals' },
  'auth.required': { status: 401, exit: 4, hint: 'Send Authorization: Bearer loki_…' },
  'auth.forbidden': { status: 403, exit: 4, hint: 'Use a principal that has the scope named in the message' },
  'auth.proof': { status: 403, exit: 4, hint: 'Run it at a terminal and type the passphrase of the approver key' },
  'auth.token': { status: 401, exit: 4, hint: 'Get a new token from its issuer; docs/single-sign-on.md says what each refusal means' },
  'auth.sign_on': { status: 403, exit: 4, hint: 'Sign in again; docs/single-sign-on.md says what each failure means' },
  'auth.issuer': { status: 503, exit: 8, hint: 'Check that this machine reaches the identity provider, and enterprise.auth.oidc.issuer' },
  'auth.device': { status: 400, exit: 4, hint: 'Start again with: loki login' },
  'request.invalid': { status: 400, exit: 2, hint: 'See docs/api.md' },
  'request.origin': { status: 403, exit: 4, hint: 'Call the control plane by an address on its allow-list, from its own page or without a browser' },
  'request.media': { status: 415, exit: 2, hint: 'Send the body as application/json' },
  'request.large': { status: 413, exit: 2, hint: 'Send less in one request' },
  'request.reused': { status: 422, exit: 2, hint: 'Send a new key with a new request' },
  'request.stale': { status: 412, exit: 1, hint: 'Read the object again, then repeat the change with its new ETag' },
  'request.method': { status: 405, exit: 2, hint: 'See the Allow header' },
  'not_found': { status: 404, exit: 2, hint: 'List what exists first' },
  'conflict': { status: 409, exit: 1, hint: 'Read the object again, then repeat the change' },
  'gone': { status: 410, exit: 1, hint: 'Start again from the newest state' },
  'rate_limited': { status: 429, exit: 8, hint: 'Wait for the time in Retry-After' },
  'run.failed': { status: 500, exit: 1, hint: 'See the run timeline: loki status' },
  'run.busy': { status: 409, exit: 2, hint: 'Wait for the session to end, or run: loki stop' },
  'run.none': { status: 404, exit: 2, hint: 'Start one with: loki start PRD' },
  'provider.missing': { status: 400, exit: 2, hint: 'Install the program, or choose another with --provider' },
  'audit.unwritable': { status: 503, exit: 1, hint: 'Make LOKI_HOME writable with free space; actions are refused until then' },
  'audit.tampered': { status: 409, exit: 6, hint: 'Keep the files as they are and compare them with a copy or an older checkpoint' },
  'audit.incomplete': { status: 409, exit: 7, hint: 'See docs/formats/audit.md on torn tails and missing files' },
  'record.unsafe': { status: 503, exit: 1, hint: 'Remove the link or wrong owner that the message names; record files are never written through one' },
  'store.corrupt': { status: 500, exit: 6, hint: 'Keep the folder as it is; look with loki store check, restore a backup with loki store restore' },
  'store.newer': { status: 500, exit: 1, hint: 'Use the release that wrote it, or a newer one; nothing was changed' },
  'lock.timeout': { status: 503, exit: 1, hint: 'Another process holds the lock; the message names it' },
  'io.failed': { status: 500, exit: 1, hint: 'Check permissions, free space and the disk' },
  'net.unreachable': { status: 502, exit: 8, hint: 'Check that the control plane runs: loki dashboard' },
  'net.port_taken': { status: 500, exit: 8, hint: 'Choose another port with --port, or stop what listens there' },
  'interrupted': { status: 503, exit: 130, hint: 'Run the command again' },
  'internal': { status: 500, exit: 1, hint: 'This is a defect; please report it with the message' },
} as const;

/** The closed set of error codes. */
export type ErrorCode = keyof typeof meanings;

/** Code -> HTTP status, exit code, default hint. */
export const errorMeanings: Readonly<Record<ErrorCode, ErrorMeaning>> = meanings;

/** One mistake in something a person wrote. Lines and columns count from 1; a column counts UTF-16 code units. */
export interface Problem {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The offending line and, below it, a caret under the column. */
  readonly excerpt?: string;
  readonly hint?: string;
  /** Where in a JSON value (RFC 6901). */
  readonly pointer?: string;
}

/** What an error is made of. The message reads "Cannot <attempted>: <found>". */
export interface ErrorParts {
  /** A verb phrase: `read policy ".loki/policies.yaml"`. */
  readonly attempted: string;
  /** What was found instead: `line 4 has a tab`. */
  readonly found: string;
  /** What to do next; the code's own hint when left out. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Every mistake found, sorted by place. The first one gives the error its `line` and `column`. */
  readonly problems?: readonly Problem[];
}

/** The one error class. `code` is stable; `message` is for people; `hint` says what to do next. */
export class LokiError extends Error {
  override readonly name: string = 'LokiError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly problems: readonly Problem[];
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(`Cannot ${parts.attempted}: ${parts.found}`, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.problems = parts.problems ?? [];
    const first = this.problems[0];
    this.hint = parts.hint ?? first?.hint ?? meanings[code].hint;
    this.line = first?.line;
    this.column = first?.column;
  }
}

/** The words of any thrown value; never its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why something could not be read, in one clause: our own errors say themselves that it could not. */
export function unreadBecause(error: unknown): string {
  return error instanceof LokiError ? error.message : `it cannot be read: ${messageOf(error)}`;
}

/** The operating system's error name (`ENOSPC`, `EACCES` …) of a thrown value, if it carries one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
