/**
 * Settings that are read and checked, and that this version does not act on. What would be a false promise of protection is
 * refused; for the rest a person is told, so that nobody takes silence for effect.
 */
import { LokiError, type Problem } from '../errors.ts';
import type { Config } from '../config/config.ts';

/** Keys, or beginnings of keys that end in a dot. */
const withoutEffect: readonly string[] = [
  'enterprise.audit.retention_days', 'enterprise.audit.max_files', 'enterprise.audit.compress', 'enterprise.audit.integrity_check', 'enterprise.audit.gdpr_compliance',
  'enterprise.audit.log_data_access', 'enterprise.audit.checkpoint_every', 'enterprise.audit.checkpoint_interval', 'enterprise.audit.checkpoint_copy', 'enterprise.audit.origin',
  'enterprise.audit.syslog_enabled', 'enterprise.siem.', 'enterprise.telemetry.', 'enterprise.auth.oidc.', 'enterprise.egress.', 'integrations.', 'residency.allowed_regions', 'residency.air_gapped', 'prices',
];

/** Throws `config.invalid` when encryption is asked for: records that a person believes encrypted must not be written in clear. */
export function assertNoFalsePromise(config: Config): void {
  if (!config.audit.encrypt) return;
  throw new LokiError('config.invalid', {
    attempted: 'use enterprise.audit.encrypt', found: 'this version does not encrypt the log',
    hint: 'Unset enterprise.audit.encrypt, LOKI_AUDIT_KEY and LOKI_AUDIT_KEY_FILE, and keep LOKI_HOME on an encrypted file system',
  });
}

/** One warning for each setting that somebody set and that has no effect yet. */
export function settingsWithoutEffect(config: Config): readonly Problem[] {
  const keys = config.explain().map(({ key }) => key).filter((key) => withoutEffect.some((name) => (name.endsWith('.') ? key.startsWith(name) : key === name)));
  const set = keys.filter((key) => !['default', 'environment'].includes(config.origin(key).layer) || isOurs(config, key));
  return set.map((key) => ({ message: `"${key}" is set, and this version does not act on it yet` }));
}

/** A variable of the whole machine (OTEL_*, GITHUB_*) is no wish addressed to this program. */
function isOurs(config: Config, key: string): boolean {
  const { layer, name } = config.origin(key);
  return layer === 'environment' && name.startsWith('LOKI_');
}
