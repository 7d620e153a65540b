/** Discord. */
import type { Vendor } from '../rule.ts';

export const discord: Vendor = {
  vendor: 'Discord',
  rules: [
    { id: 'discord-token', names: ['discord'], shapes: ['{anyhex:64}', '{base64url:24-28}.{base64url:6}.{base64url:27-38}'] },
    { id: 'discord-client-id', names: ['discord'], shapes: ['{digit:18}'], confidence: 'low' },
    { id: 'discord-client-secret', names: ['discord'], shapes: ['{padded:32}'] },
    { id: 'discord-webhook', shapes: ['discord.com/api/webhooks/{digit:17-20}/{base64url:60-80}', 'discordapp.com/api/webhooks/{digit:17-20}/{base64url:60-80}'] },
  ],
};
