/** `loki-enterprise/yaml`: the YAML subset of docs/formats/yaml.md. */
export { parseYaml } from '../formats/yaml/parse.ts';
export { LokiError } from '../errors.ts';
