/** Telegram. */
import type { Vendor } from '../rule.ts';

export const telegram: Vendor = {
  vendor: 'Telegram',
  rules: [
    { id: 'telegram-bot-token', names: ['telegr', 'tgbot', 'tg_bot'], shapes: ['{digit:5-16}:A{base64url:34}'] },
    { id: 'telegram-bot-url', shapes: ['api.telegram.org/bot{digit:5-16}:A{base64url:34}'] },
  ],
};
