/** Short ways to resolve a configuration in tests. */
import assert from 'node:assert/strict';
import type { Config } from '../../lib/config/config.ts';
import type { ConfigFile } from '../../lib/config/document.ts';
import { resolveConfig } from '../../lib/config/resolve.ts';
import { LokiError } from '../../lib/errors.ts';

/** Texts of the layers. */
export interface Layers {
  readonly flags?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly organisation?: string;
  readonly user?: string;
  readonly project?: string;
  readonly eventNames?: readonly string[];
}

/** Where each layer's file is said to lie. */
export const paths = { organisation: '/etc/loki/config.yaml', user: '/home/u/.loki/config.yaml', project: '/p/.loki/config.yaml' } as const;

/** The configuration made of these layers. */
export function configOf(layers: Layers): Config {
  const files: ConfigFile[] = [];
  for (const layer of ['organisation', 'user', 'project'] as const) {
    const text = layers[layer];
    if (text !== undefined) files.push({ layer, path: paths[layer], text });
  }
  return resolveConfig({
    flags: new Map(Object.entries(layers.flags ?? {})), env: layers.env ?? {}, files,
    facts: { hostname: 'box', homeDir: '/home/u', ...(layers.eventNames === undefined ? {} : { eventNames: layers.eventNames }) },
  });
}

/** The `config.invalid` error that these layers end in. */
export function errorOf(layers: Layers): LokiError {
  try {
    configOf(layers);
  } catch (error) {
    assert.ok(error instanceof LokiError, String(error));
    assert.equal(error.code, 'config.invalid');
    return error;
  }
  throw new assert.AssertionError({ message: 'expected config.invalid, but the configuration is accepted' });
}

/** YAML text that sets one dotted key; the value is YAML flow text. */
export function yamlOf(key: string, value: string): string {
  return `${key.split('.').map((part, depth) => `${'  '.repeat(depth)}${part}:`).join('\n')} ${value}\n`;
}
