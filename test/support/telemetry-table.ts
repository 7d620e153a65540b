/** The table of variables in docs/telemetry.md, made from the table that reads them. */
import { variables, type Variable } from '../../lib/telemetry/variables.ts';

/** Everything between the markers. */
export function variableTable(): string {
  const rows = Object.values<Variable<unknown>>(variables).map((variable) => [
    `\`${variable.name}\`${variable.signals === undefined ? '' : ' (3)'}`, variable.sort.accepts, variable.defaultWords ?? `\`${String(variable.default)}\``, variable.meaning,
  ]);
  return ['| variable | accepted | default | meaning |', '|---|---|---|---|', ...rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)].join('\n');
}
