/** Settings that are read and checked, and that this version does not act on: a person is told, so that nobody takes silence for effect. */
import type { Problem } from '../errors.ts';
import { table, type Config } from '../config/config.ts';

/** Keys, or beginnings of keys that end in a dot. */
const withoutEffect: readonly string[] = ['integrations.'];

/** One warning for each setting that somebody set and that has no effect yet. */
export function settingsWithoutEffect(config: Config): readonly Problem[] {
  const keys = table.map(({ key }) => key).filter((key) => withoutEffect.some((name) => (name.endsWith('.') ? key.startsWith(name) : key === name)));
  const set = keys.filter((key) => !['default', 'environment'].includes(config.origin(key).layer) || isOurs(config, key));
  return set.map((key) => ({ message: `"${key}" is set, and this version does not act on it yet` }));
}

/** A variable of the whole machine (OTEL_*, GITHUB_*) is no wish addressed to this program. */
function isOurs(config: Config, key: string): boolean {
  const { layer, name } = config.origin(key);
  return layer === 'environment' && name.startsWith('LOKI_');
}
