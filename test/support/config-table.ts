/** The tables of docs/config.md, made from the table of settings. */
import { table } from '../../lib/config/config.ts';
import { shown } from '../../lib/config/resolve.ts';
import type { Setting } from '../../lib/config/setting.ts';

const headings: readonly (readonly [prefix: string, title: string])[] = [
  ['enterprise.audit.', 'Audit log'],
  ['enterprise.siem.syslog.', 'Syslog'],
  ['enterprise.siem.splunk.', 'Splunk'],
  ['enterprise.telemetry.', 'Telemetry'],
  ['enterprise.server.', 'Control plane'],
  ['enterprise.auth.', 'Authentication'],
  ['enterprise.egress.', 'Egress'],
  ['enterprise.store', 'Store'],
  ['residency.', 'Data residency'],
  ['runs.', 'Governed runs'],
  ['prices', 'Prices'],
  ['integrations.slack.', 'Slack'],
  ['integrations.teams.', 'Microsoft Teams'],
  ['integrations.jira.', 'Jira'],
  ['integrations.linear.', 'Linear'],
  ['integrations.github.', 'GitHub'],
  ['', 'Environment only'],
];

/** Everything between the markers of docs/config.md. */
export function configTables(): string {
  const parts: string[] = [];
  const done = new Set<Setting<unknown>>();
  for (const [prefix, title] of headings) {
    const rows = table.filter((each) => !done.has(each) && each.key.startsWith(prefix) && (prefix === '') === isUnfiled(each));
    for (const setting of rows) done.add(setting);
    parts.push(`### ${title}`, '', ...tableOf(rows), '');
  }
  if (done.size !== table.length) throw new Error(`No heading for ${table.filter((each) => !done.has(each)).map((each) => each.key).join(', ')}`);
  return parts.join('\n').trimEnd();
}

/** Settings that stand in no file have a table of their own. */
function isUnfiled(setting: Setting<unknown>): boolean {
  return setting.environmentOnly === true;
}

function tableOf(rows: readonly Setting<unknown>[]): readonly string[] {
  return ['| key | variable, flag | accepted | default | project | meaning |', '|---|---|---|---|---|---|', ...rows.map(rowOf)];
}

function rowOf(setting: Setting<unknown>): string {
  const names = [...(setting.env ?? []).map((variable) => variable.name), ...(setting.flag === undefined ? [] : [setting.flag])];
  const cells = [
    isUnfiled(setting) ? '' : `\`${setting.key}\``, names.map((name) => `\`${name}\``).join(', '), setting.kind.accepts,
    setting.defaultWords ?? `\`${shown(setting, setting.default)}\``, projectWords(setting), `${setting.meaning}${setting.secret === true ? ' (secret)' : ''}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function projectWords(setting: Setting<unknown>): string {
  if (setting.project === undefined) return '';
  return setting.project === 'never' ? 'U' : `T: may ${setting.project.words}`;
}
