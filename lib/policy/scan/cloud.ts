/** Credentials of cloud platforms. */
import { base64, characters, hex, runEnd, tokenMatcher, wordDash } from './matcher.ts';
import type { Matcher, TokenRule } from './matcher.ts';

const awsId = characters('A-Z2-7');

const tokens: readonly TokenRule[] = [
  ...['AKIA', 'ASIA', 'ABIA', 'ACCA'].map((prefix): TokenRule => ({ rule: 'aws-access-key-id', prefix, run: awsId, least: 16, most: 16, confidence: 'high' })),
  { rule: 'google-api-key', prefix: 'AIza', run: wordDash, least: 35, most: 35, confidence: 'high' },
  { rule: 'google-oauth-secret', prefix: 'GOCSPX-', run: wordDash, least: 28, most: 28, confidence: 'high' },
  { rule: 'google-oauth-token', prefix: 'ya29.', run: wordDash, least: 40, most: 1024, confidence: 'high' },
  { rule: 'digitalocean-token', prefix: 'dop_v1_', run: hex, least: 64, most: 64, confidence: 'high' },
  { rule: 'digitalocean-token', prefix: 'doo_v1_', run: hex, least: 64, most: 64, confidence: 'high' },
  { rule: 'digitalocean-token', prefix: 'dor_v1_', run: hex, least: 64, most: 64, confidence: 'high' },
];

/** The forty characters after a name that says what they are. */
const awsSecret: Matcher = named('aws-secret-access-key', /aws_?secret_?(?:access_?)?key/gi, 40, 40);

const azureKey: Matcher = named('azure-storage-key', /AccountKey/g, 86, 88);

function named(rule: string, name: RegExp, least: number, most: number): Matcher {
  return (text, report) => {
    for (const match of text.matchAll(name)) {
      const from = runEnd(text, match.index + match[0].length, separators, 12);
      const end = runEnd(text, from, base64, most + 1);
      if (end - from >= least && end - from <= most) report({ rule, offset: from, length: end - from, confidence: 'high' });
    }
  };
}

const separators = characters('"\'`:= \t>');

export const cloudMatchers: readonly Matcher[] = [...tokens.map(tokenMatcher), awsSecret, azureKey];
