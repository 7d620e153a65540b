/** GitLab. */
import type { Vendor } from '../rule.ts';

export const gitlab: Vendor = {
  vendor: 'GitLab',
  rules: [
    {
      id: 'gitlab-token', shapes: ['glpat-{base64url:20}', 'glpat-{base64url:27-300}.{base36:9}', 'glpat-{base64url:27-300}.{base36:2}.{base36:9}'],
      ignores: ['glpat-{base64url:10}', 'glpat-xxxxxxxxxxxxxxxxxxxx'],
    },
    { id: 'gitlab-pipeline-trigger-token', shapes: ['glptt-{hex:40}'] },
    { id: 'gitlab-runner-registration-token', shapes: ['GR1348941{base64url:20}'], ignores: ['GR1348941XXXXXXXXXXXXXXXXXXXX'] },
    {
      id: 'gitlab-runner-token',
      shapes: ['glrt-{base64url:20}', 'glrt-t{digit:1}_{base64url:27-300}.{base36:9}', 'glrt-t{digit:1}_{base64url:27-300}.{base36:2}.{base36:9}', 'glrt-t{digit:1}_{base64url:20}'],
    },
    { id: 'gitlab-job-token', shapes: ['glcbt-{base62:1-5}_{base64url:20}'] },
    { id: 'gitlab-deploy-token', shapes: ['gldt-{base64url:20}'] },
    { id: 'gitlab-feature-flag-token', shapes: ['glffct-{base64url:20}'] },
    { id: 'gitlab-feed-token', shapes: ['glft-{base64url:20}'] },
    { id: 'gitlab-incoming-mail-token', shapes: ['glimt-{base64url:25}'] },
    { id: 'gitlab-agent-token', shapes: ['glagent-{base64url:50}'] },
    { id: 'gitlab-oauth-secret', shapes: ['gloas-{base64url:64}'] },
    { id: 'gitlab-scim-token', shapes: ['glsoat-{base64url:20}'] },
    { id: 'gitlab-session-cookie', shapes: ['_gitlab_session={hex:32}'] },
  ],
};
