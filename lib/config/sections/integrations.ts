/**
 * Settings of the services that are told about runs and that may answer (`integrations.<name>`). All of them are the
 * business of whoever runs the installation: a project may set none. An address with a secret in it is a secret.
 */
import type { Secret } from '../../base/secret.ts';
import { boolean, name, scalar, secret, secretText, text, url } from '../kinds.ts';
import type { Kind, Section, Setting } from '../setting.ts';

const repository: Kind<string> = scalar('owner/name', (value) => (/^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(value) ? value : undefined));

/** A row that only the installation sets and that is off until it is given. */
function row<T>(key: string, variable: string, kind: Kind<T>, meaning: string): Setting<T | undefined> {
  const env = [variable.startsWith('LOKI_') ? { name: variable } : { name: variable, shared: true as const }];
  return { key: `integrations.${key}`, env, kind, default: undefined, defaultWords: 'unset', project: 'never', meaning };
}

/** The same for a secret. */
function secretRow(key: string, variable: string, meaning: string, kind: Kind<Secret> = secretText): Setting<Secret | undefined> {
  return { ...row<Secret>(key, variable, kind, meaning), secret: true };
}

/** Messages to Slack, and decisions from there. */
export interface SlackConfig {
  readonly botToken: Secret | undefined;
  readonly signingSecret: Secret | undefined;
  readonly channel: string | undefined;
  readonly webhookUrl: Secret | undefined;
}

/** One row a field of `SlackConfig`. */
export const slackSection: Section<SlackConfig> = {
  botToken: secretRow('slack.bot_token', 'LOKI_SLACK_BOT_TOKEN', 'Token of the app that posts; needs `channel`'),
  signingSecret: secretRow('slack.signing_secret', 'LOKI_SLACK_SIGNING_SECRET', 'Secret by which requests from Slack are checked'),
  channel: row('slack.channel', 'LOKI_SLACK_CHANNEL', text(), 'Channel to post to'),
  webhookUrl: secretRow('slack.webhook_url', 'LOKI_SLACK_WEBHOOK_URL', 'Incoming webhook, where there is no app', secret(url())),
};

/** Messages to Microsoft Teams. */
export interface TeamsConfig {
  readonly webhookUrl: Secret | undefined;
  readonly webhookSecret: Secret | undefined;
}

/** One row a field of `TeamsConfig`. */
export const teamsSection: Section<TeamsConfig> = {
  webhookUrl: secretRow('teams.webhook_url', 'LOKI_TEAMS_WEBHOOK_URL', 'Workflow address to post to', secret(url())),
  webhookSecret: secretRow('teams.webhook_secret', 'LOKI_TEAMS_WEBHOOK_SECRET', 'Secret by which requests from Teams are checked'),
};

/** Epics and issues in Jira. */
export interface JiraConfig {
  readonly url: string | undefined;
  readonly email: string | undefined;
  readonly token: Secret | undefined;
  readonly projectKey: string | undefined;
  readonly webhookSecret: Secret | undefined;
}

/** One row a field of `JiraConfig`. */
export const jiraSection: Section<JiraConfig> = {
  url: row('jira.url', 'LOKI_JIRA_URL', url(), 'Address of the site; needs `email` and `token`'),
  email: row('jira.email', 'LOKI_JIRA_EMAIL', text('an email address', /^[^\s@]{1,200}@[^\s@]{1,200}$/), 'Account the token belongs to'),
  token: secretRow('jira.token', 'LOKI_JIRA_TOKEN', 'API token'),
  projectKey: row('jira.project_key', 'LOKI_JIRA_PROJECT_KEY', text('a project key such as LOKI', /^[A-Za-z][A-Za-z0-9_]{0,49}$/), 'Project to work in'),
  webhookSecret: secretRow('jira.webhook_secret', 'LOKI_JIRA_WEBHOOK_SECRET', 'Secret by which requests from Jira are checked'),
};

/** Issues in Linear. */
export interface LinearConfig {
  readonly apiKey: Secret | undefined;
  readonly teamId: string | undefined;
  readonly webhookSecret: Secret | undefined;
}

/** One row a field of `LinearConfig`. */
export const linearSection: Section<LinearConfig> = {
  apiKey: secretRow('linear.api_key', 'LOKI_LINEAR_API_KEY', 'API key'),
  teamId: row('linear.team_id', 'LOKI_LINEAR_TEAM_ID', name, 'Team to work in'),
  webhookSecret: secretRow('linear.webhook_secret', 'LOKI_LINEAR_WEBHOOK_SECRET', 'Secret by which requests from Linear are checked'),
};

/** Reports, checks and comments on GitHub. */
export interface GithubConfig {
  readonly sync: boolean;
  readonly token: Secret | undefined;
  readonly repository: string | undefined;
  readonly apiUrl: string;
  readonly webhookSecret: Secret | undefined;
}

/** One row a field of `GithubConfig`. */
export const githubSection: Section<GithubConfig> = {
  sync: {
    key: 'integrations.github.sync', env: [{ name: 'LOKI_GITHUB_SYNC' }], kind: boolean, default: false, project: 'never',
    meaning: 'Whether runs are reported to GitHub; needs `token`',
  },
  token: secretRow('github.token', 'GITHUB_TOKEN', 'Token to report with'),
  repository: row('github.repository', 'GITHUB_REPOSITORY', repository, 'Repository to report to'),
  apiUrl: {
    key: 'integrations.github.api_url', env: [{ name: 'GITHUB_API_URL', shared: true }], kind: url(), default: 'https://api.github.com', project: 'never',
    meaning: 'Address of the API, for GitHub Enterprise Server',
  },
  webhookSecret: secretRow('github.webhook_secret', 'LOKI_GITHUB_WEBHOOK_SECRET', 'Secret by which requests from GitHub are checked'),
};
