/** docs/config.md says exactly what the table of settings says. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { table } from '../../lib/config/config.ts';
import { resolveConfig } from '../../lib/config/resolve.ts';
import { configTables } from '../support/config-table.ts';
import { packageRoot } from '../support/root.ts';

const path = join(packageRoot, 'docs/config.md');
/** A vendored copy of dist/ and fixtures/ comes without the manual. */
const manual = { skip: existsSync(path) ? false : 'this copy has no docs/' };
const start = 'LOKI_UPDATE_DOCS=1 writes them -->\n';
const end = '\n<!-- end -->';

function parts(): readonly [before: string, tables: string, after: string] {
  const text = readFileSync(path, 'utf8');
  const from = text.indexOf(start) + start.length;
  const to = text.lastIndexOf('<!-- end -->') - 1;
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}

test('docs/config.md lists every setting with its variables, default and rights, and nothing else', manual, () => {
  const [before, tables, after] = parts();
  if (process.env['LOKI_UPDATE_DOCS'] === '1') writeFileSync(path, `${before}${configTables()}${after}`);
  else assert.equal(tables, configTables());
  assert.ok(after.startsWith(end));
});

test('docs/config.md names no variable that is not read', manual, () => {
  const known = new Set(table.flatMap((setting) => (setting.env ?? []).map((variable) => variable.name)));
  const named = readFileSync(path, 'utf8').match(/\bLOKI_[A-Z_]*[A-Z]\b/g) ?? [];
  const others = new Set(named.filter((name) => !known.has(name)));
  assert.deepEqual([...others].sort(), ['LOKI_ENVIRONMENT', 'LOKI_UPDATE_DOCS']);
});

test('the example of docs/config.md is a valid user file', manual, () => {
  const [before] = parts();
  const example = /```yaml\n([^]*?)```/.exec(before)?.[1] ?? '';
  const config = resolveConfig({
    env: {}, files: [{ layer: 'user', path: '/h/config.yaml', text: example }], facts: { hostname: 'h', homeDir: '/h' },
  });
  assert.equal(config.siem.syslog.port, 6514);
  assert.equal(config.audit.retentionDays, 365);
});

test('every key stands once in the table of settings, and every variable gives one setting', () => {
  const keys = table.map((setting) => setting.key);
  assert.equal(new Set(keys).size, keys.length);
  const variables = table.flatMap((setting) => (setting.env ?? []).map((variable) => variable.name));
  assert.equal(new Set(variables).size, variables.length);
});

test('every variable and key of the contract is read', () => {
  const variables = new Set(table.flatMap((setting) => (setting.env ?? []).map((variable) => variable.name)));
  const wanted = `LOKI_AUDIT_DISABLED LOKI_ENTERPRISE_AUDIT LOKI_AUDIT_LEVEL LOKI_AUDIT_RETENTION LOKI_AUDIT_MAX_SIZE_MB LOKI_AUDIT_MAX_FILES
    LOKI_AUDIT_COMPRESS LOKI_AUDIT_NO_INTEGRITY LOKI_AUDIT_ON_FAILURE LOKI_AUDIT_KEY LOKI_AUDIT_KEY_FILE LOKI_AUDIT_SYSLOG_HOST
    LOKI_AUDIT_SYSLOG_PORT LOKI_AUDIT_SYSLOG_PROTO LOKI_SYSLOG_FACILITY LOKI_SYSLOG_FORMAT LOKI_SPLUNK_HEC_URL LOKI_SPLUNK_HEC_TOKEN
    LOKI_OTEL_ENDPOINT LOKI_SERVICE_NAME LOKI_ENTERPRISE_AUTH LOKI_HOST LOKI_PORT LOKI_TLS_CERT LOKI_TLS_KEY LOKI_CORS_ORIGINS
    LOKI_ALLOWED_HOSTS LOKI_API_RATE_LIMIT LOKI_OIDC_ISSUER LOKI_OIDC_CLIENT_ID LOKI_OIDC_CLIENT_SECRET LOKI_OIDC_REDIRECT_URI
    LOKI_OIDC_AUDIENCE LOKI_OIDC_SCOPES LOKI_OIDC_ROLE_CLAIM LOKI_OIDC_ROLE_MAP LOKI_SLACK_BOT_TOKEN LOKI_SLACK_SIGNING_SECRET
    LOKI_SLACK_CHANNEL LOKI_SLACK_WEBHOOK_URL LOKI_TEAMS_WEBHOOK_URL LOKI_TEAMS_WEBHOOK_SECRET LOKI_JIRA_URL LOKI_JIRA_EMAIL
    LOKI_JIRA_TOKEN LOKI_JIRA_PROJECT_KEY LOKI_JIRA_WEBHOOK_SECRET LOKI_LINEAR_API_KEY LOKI_LINEAR_TEAM_ID LOKI_LINEAR_WEBHOOK_SECRET
    LOKI_GITHUB_SYNC LOKI_GITHUB_WEBHOOK_SECRET GITHUB_TOKEN LOKI_ALLOWED_INTERNAL_HOSTS LOKI_STORE LOKI_URL LOKI_TOKEN LOKI_HOME
    LOKI_MANAGED_POLICY`.split(/\s+/);
  assert.deepEqual(wanted.filter((name) => !variables.has(name)), []);
});
