/** Anthropic. */
import type { Vendor } from '../rule.ts';

export const anthropic: Vendor = {
  vendor: 'Anthropic',
  rules: [
    { id: 'anthropic-api-key', shapes: ['sk-ant-api03-{base64url:93}AA'], ignores: ['sk-ant-api03-{base64url:93}BB', 'sk-ant-api03-{base64url:80}AA'] },
    { id: 'anthropic-admin-key', shapes: ['sk-ant-admin01-{base64url:93}AA'] },
    { id: 'anthropic-oauth-token', shapes: ['sk-ant-oat01-{base64url:80-120}', 'sk-ant-ort01-{base64url:80-120}', 'sk-ant-sid01-{base64url:80-120}'] },
  ],
};
