/** Slack. */
import type { Vendor } from '../rule.ts';

export const slack: Vendor = {
  vendor: 'Slack',
  rules: [
    {
      id: 'slack-bot-token', shapes: ['xoxb-{digit:10-13}-{digit:10-13}{dashed:0-60}', 'xoxb-{digit:8-14}-{base62:18-26}'],
      ignores: ['xoxb-xxxxxxxxx-xxxxxxxxxx-xxxxxxxxxxxx'],
    },
    { id: 'slack-user-token', shapes: ['xoxp-{digit:10-13}-{digit:10-13}-{digit:10-13}-{dashed:28-34}', 'xoxe-{digit:10-13}-{digit:10-13}-{digit:10-13}-{dashed:28-34}'] },
    {
      id: 'slack-legacy-token', shapes: ['xoxs-{digit:3-16}-{digit:3-16}-{digit:3-16}-{anyhex:6-64}', 'xoxo-{digit:3-16}-{digit:3-16}-{digit:3-16}-{anyhex:6-64}', 'xoxa-{digit:1}-{dashed:8-80}', 'xoxr-{digit:1}-{dashed:8-80}', 'xoxa-{base62:8-48}', 'xoxr-{base62:8-48}'],
      ignores: ['EXO-XOXO-teaser-exo-k-34521098-720-516.jpg'],
    },
    { id: 'slack-config-token', shapes: ['xoxe.xoxb-{digit:1}-{base62:163-166}', 'xoxe.xoxp-{digit:1}-{base62:163-166}', 'xoxe-{digit:1}-{base62:146-147}'] },
    { id: 'slack-app-token', shapes: ['xapp-{digit:1}-{BASE36:4-20}-{digit:1-20}-{base62:8-100}'] },
    { id: 'slack-cookie', shapes: ['xoxd-{base64url:20-}', 'xoxc-{digit:10-13}-{digit:10-13}-{digit:10-13}-{hex:64}'] },
    {
      id: 'slack-webhook', shapes: ['hooks.slack.com/services/{path:36-60}', 'hooks.slack.com/workflows/{path:36-70}', 'hooks.slack.com/triggers/{path:36-70}'],
      ignores: ['https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX'],
    },
  ],
};
