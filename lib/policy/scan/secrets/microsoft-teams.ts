/** Microsoft Teams. */
import type { Vendor } from '../rule.ts';

export const microsoftTeams: Vendor = {
  vendor: 'Microsoft Teams',
  rules: [
    {
      id: 'teams-webhook',
      shapes: ['.webhook.office.com/webhookb2/{uuid36:36}@{uuid36:36}/IncomingWebhook/{base36:32}/{uuid36:36}', 'outlook.office.com/webhook/{uuid36:36}@{uuid36:36}/IncomingWebhook/{base36:32}/{uuid36:36}'],
    },
  ],
};
