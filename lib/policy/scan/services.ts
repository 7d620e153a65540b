/** Credentials of services: model providers, messaging, payments, mail. */
import { alphanumeric, characters, hex, tokenMatcher, word, wordDash } from './matcher.ts';
import type { Matcher, TokenRule } from './matcher.ts';

const alphanumericDash = characters('A-Za-z0-9-');
const wordDashDot = characters('A-Za-z0-9_.-');
const slackPath = characters('A-Za-z0-9/+');

const models: readonly TokenRule[] = [
  { rule: 'anthropic-key', prefix: 'sk-ant-', run: wordDash, least: 40, most: 200, confidence: 'high' },
  { rule: 'openai-key', prefix: 'sk-proj-', run: wordDash, least: 40, most: 250, confidence: 'high' },
  { rule: 'openai-key', prefix: 'sk-svcacct-', run: wordDash, least: 40, most: 250, confidence: 'high' },
  { rule: 'openai-key', prefix: 'sk-admin-', run: wordDash, least: 40, most: 250, confidence: 'high' },
  { rule: 'openai-key', prefix: 'sk-', run: alphanumeric, least: 40, most: 64, confidence: 'high' },
  { rule: 'huggingface-token', prefix: 'hf_', run: alphanumeric, least: 34, most: 40, confidence: 'high', accept: (token) => /[A-Z]/.test(token) },
];

const slack: readonly TokenRule[] = [
  ...['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxo-'].map((prefix): TokenRule =>
    ({ rule: 'slack-token', prefix, run: alphanumericDash, least: 20, most: 255, confidence: 'high', accept: (token) => /\d{6}/.test(token) })),
  { rule: 'slack-app-token', prefix: 'xapp-', run: alphanumericDash, least: 30, most: 255, confidence: 'high' },
  { rule: 'slack-webhook', prefix: 'hooks.slack.com/services/', run: slackPath, least: 30, most: 120, confidence: 'high' },
];

const stripe = ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_'].map((prefix): TokenRule =>
  ({ rule: 'stripe-key', prefix, run: alphanumeric, least: 16, most: 255, confidence: 'high' }));

const others: readonly TokenRule[] = [
  { rule: 'webhook-signing-secret', prefix: 'whsec_', run: characters('A-Za-z0-9+/='), least: 24, most: 100, confidence: 'high' },
  { rule: 'sendgrid-key', prefix: 'SG.', run: wordDashDot, least: 60, most: 80, confidence: 'high', accept: (token) => token.split('.').length === 3 },
  { rule: 'twilio-key', prefix: 'SK', run: hex, least: 32, most: 32, confidence: 'medium' },
  { rule: 'shopify-token', prefix: 'shpat_', run: characters('0-9a-fA-F'), least: 32, most: 32, confidence: 'high' },
  { rule: 'vault-token', prefix: 'hvs.', run: wordDash, least: 24, most: 255, confidence: 'high' },
  { rule: 'loki-key', prefix: 'loki_', run: word, least: 32, most: 128, confidence: 'high' },
];

export const serviceMatchers: readonly Matcher[] = [...models, ...slack, ...stripe, ...others].map(tokenMatcher);
