/** Settings of the audit log (`enterprise.audit`). A project may make the log record more and keep it longer, never less. */
import { formatDuration } from '../../base/duration.ts';
import type { Secret } from '../../base/secret.ts';
import {
  boolean, duration, integer, key256, listOf, oneOf, onlyLower, onlyOff, onlyOn, onlyRaise, onlyShorten, onlyTowards, path, scalar, text,
} from '../kinds.ts';
import type { Kind, Section } from '../setting.ts';

/** Least level recorded. */
export type AuditLevel = 'debug' | 'info' | 'warning' | 'error';

/** The audit log. */
export interface AuditConfig {
  readonly enabled: boolean;
  readonly level: AuditLevel;
  readonly retentionDays: number;
  /** Megabytes (10^6 bytes). */
  readonly maxFileSizeMb: number;
  /** Undefined: as many as there are. */
  readonly maxFiles: number | undefined;
  readonly compress: boolean;
  readonly integrityCheck: boolean;
  readonly onFailure: 'block' | 'warn';
  readonly excludeEvents: readonly string[];
  readonly includeMetadata: readonly string[];
  readonly encrypt: boolean;
  /** 32 bytes in base64 or hex. Undefined with `encrypt` on: the key in `keyFile`, else the one in LOKI_HOME/keys. */
  readonly key: Secret | undefined;
  readonly keyFile: string | undefined;
  readonly gdprCompliance: boolean;
  readonly logDataAccess: boolean;
  readonly groupReadable: boolean;
  readonly checkpointEvery: number;
  readonly checkpointIntervalMs: number;
  readonly checkpointCopy: string | undefined;
  /** The name that checkpoints carry; the host name when nothing else is given. */
  readonly origin: string;
}

const protectedAreas = /^(?:policy|approval|auth|audit)\./;

const excludable: Kind<string> = scalar(
  'an event name such as api.request, but none of policy.*, approval.*, auth.*, audit.*',
  (value) => (/^[a-z_]{1,30}(?:\.[a-z_]{1,30}){1,3}$/.test(value) && !protectedAreas.test(value) ? value : undefined),
);

/** A name that says secret must not copy a secret variable into the log. */
const metadataName: Kind<string> = scalar(
  'a name of small letters, digits and "_" such as environment, which says nothing of a key, token, secret, password or webhook',
  (value) => (/^[a-z][a-z0-9_]{0,63}$/.test(value) && !/key|token|secret|pass|cred|auth|webhook/.test(value) ? value : undefined),
);

/** One row a field of `AuditConfig`. */
export const auditSection: Section<AuditConfig> = {
  enabled: {
    key: 'enterprise.audit.enabled', kind: boolean, default: true, project: onlyOn,
    env: [{ name: 'LOKI_ENTERPRISE_AUDIT', onlyTrue: true }, { name: 'LOKI_AUDIT_DISABLED', inverted: true }],
    meaning: 'Whether anything is recorded. `LOKI_ENTERPRISE_AUDIT=true` (legacy) forces it on whatever `LOKI_AUDIT_DISABLED` says',
  },
  level: {
    key: 'enterprise.audit.level', env: [{ name: 'LOKI_AUDIT_LEVEL' }], kind: oneOf('debug', 'info', 'warning', 'error'), default: 'info',
    project: onlyTowards<AuditLevel>(['debug', 'info', 'warning', 'error']),
    meaning: 'Least level recorded. Decisions, approvals, `auth.*` and `audit.*` are recorded at every level',
  },
  retentionDays: {
    key: 'enterprise.audit.retention_days', env: [{ name: 'LOKI_AUDIT_RETENTION' }], kind: integer(1, 36_500), default: 90, project: onlyRaise,
    meaning: 'Days that entries are kept before pruning may take them',
  },
  maxFileSizeMb: {
    key: 'enterprise.audit.max_file_size', env: [{ name: 'LOKI_AUDIT_MAX_SIZE_MB' }], kind: integer(1, 100_000), default: 100,
    meaning: 'Megabytes at which a day goes on in a further file',
  },
  maxFiles: {
    key: 'enterprise.audit.max_files', env: [{ name: 'LOKI_AUDIT_MAX_FILES' }], kind: integer(2, 1_000_000), default: undefined,
    defaultWords: 'no limit', project: 'never', meaning: 'Most files kept; the oldest beyond it are pruned',
  },
  compress: {
    key: 'enterprise.audit.compress', env: [{ name: 'LOKI_AUDIT_COMPRESS' }], kind: boolean, default: true,
    meaning: 'Whether a file is compressed with gzip once its day is over',
  },
  integrityCheck: {
    key: 'enterprise.audit.integrity_check', env: [{ name: 'LOKI_AUDIT_NO_INTEGRITY', inverted: true }], kind: boolean, default: true,
    project: onlyOn, meaning: 'Whether entries carry the chain hash by which tampering is found',
  },
  onFailure: {
    key: 'enterprise.audit.on_failure', env: [{ name: 'LOKI_AUDIT_ON_FAILURE' }], kind: oneOf('block', 'warn'), default: 'block',
    project: onlyTowards<'block' | 'warn'>(['block', 'warn']),
    meaning: 'What happens to an action that cannot be recorded: `block` refuses it, `warn` lets it pass with a warning',
  },
  excludeEvents: {
    key: 'enterprise.audit.exclude_events', kind: listOf(excludable), default: [], project: onlyShorten,
    meaning: 'Events that are not recorded. Decisions, approvals, `auth.*` and `audit.*` cannot be excluded',
  },
  includeMetadata: {
    key: 'enterprise.audit.include_metadata', kind: listOf(metadataName), default: [],
    meaning: 'Further metadata in each entry: `environment` is taken from the variable `LOKI_ENVIRONMENT`, and so on',
  },
  encrypt: {
    key: 'enterprise.audit.encrypt', kind: boolean, default: false, project: onlyOn,
    meaning: 'Whether actor and details of every entry are encrypted at rest; a key in the environment switches it on, and it stays on until a configuration file says `false` (docs/formats/erasure.md)',
  },
  key: {
    key: 'enterprise.audit.key', env: [{ name: 'LOKI_AUDIT_KEY' }], kind: key256, default: undefined, defaultWords: 'unset',
    secret: true, environmentOnly: true, project: 'never', meaning: 'AES-256 key for encryption at rest: 32 bytes in base64 or hex',
  },
  keyFile: {
    key: 'enterprise.audit.key_file', env: [{ name: 'LOKI_AUDIT_KEY_FILE' }], kind: path, default: undefined, defaultWords: 'unset',
    environmentOnly: true, project: 'never', meaning: 'File that holds that key',
  },
  gdprCompliance: {
    key: 'enterprise.audit.gdpr_compliance', kind: boolean, default: false, project: onlyOn,
    meaning: 'Whether what is personal is sealed under a key of each subject, so that `loki audit erase` can destroy it',
  },
  logDataAccess: {
    key: 'enterprise.audit.log_data_access', kind: boolean, default: false, project: onlyOn,
    meaning: 'Whether each access to personal data is recorded as `data.access`',
  },
  groupReadable: {
    key: 'enterprise.audit.group_readable', kind: boolean, default: false, project: onlyOff,
    meaning: 'Directories 0750 and files 0640 instead of 0700 and 0600, for the group of a log shipper',
  },
  checkpointEvery: {
    key: 'enterprise.audit.checkpoint_every', kind: integer(1, 1_000_000), default: 1000, project: onlyLower, meaning: 'Entries after which a checkpoint is signed',
  },
  checkpointIntervalMs: {
    key: 'enterprise.audit.checkpoint_interval', kind: duration('1s', '1d'), default: 60_000, defaultWords: '`60s`', project: onlyLower, show: formatDuration,
    meaning: 'Time after which a checkpoint is signed when there are new entries',
  },
  checkpointCopy: {
    key: 'enterprise.audit.checkpoint_copy', kind: path, default: undefined, defaultWords: 'unset', project: 'never',
    meaning: 'Second directory that each checkpoint is written to, best on another machine',
  },
  origin: {
    key: 'enterprise.audit.origin', kind: text('a name such as loki.example.com, without spaces or "+"', /^[^\s+]{1,200}$/), default: '',
    defaultWords: 'the host name', project: 'never', meaning: 'Name that checkpoints carry: `<origin>/loki/audit`',
  },
};

