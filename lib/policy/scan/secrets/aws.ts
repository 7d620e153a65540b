/** Amazon Web Services. */
import type { Vendor } from '../rule.ts';

export const aws: Vendor = {
  vendor: 'Amazon Web Services',
  rules: [
    {
      id: 'aws-access-key-id', shapes: ['AKIA{base32:16}', 'ASIA{base32:16}', 'ABIA{base32:16}', 'ACCA{base32:16}', 'A3T{BASE36:1}{base32:16}'],
      catches: ['[default]\naws_access_key_id=AKIA{base32:16}'],
      ignores: ['AKIA{base32:17}', 'xAKIA{base32:16}', 'AKIA{base32:9}EXAMPLE'],
    },
    {
      id: 'aws-secret-access-key', names: ['secret_access_key', 'secretaccesskey', 'secret-access-key', 'aws_secret', 'awssecret'], shapes: ['{base64:40}'], confidence: 'high',
      catches: ['aws_secret_access_key = {base64:40}', 'AWS_SECRET_ACCESS_KEY="{base64:40}"'],
      ignores: ['aws_secret_access_key = {base64:39}'],
    },
    { id: 'aws-session-token', names: ['session_token', 'sessiontoken'], shapes: ['{base64:200-2000}{pad:0-2}'] },
    { id: 'aws-bedrock-api-key', shapes: ['ABSKQmVkcm9ja0FQSUtleS{base64:87-247}{pad:0-2}', 'ABSK{base64:109-269}{pad:0-2}'], ignores: ['ABSK{base64:300}='] },
    { id: 'aws-bedrock-short-lived-key', shapes: ['bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t{base64:0-4000}{pad:0-2}'] },
    { id: 'aws-mws-token', shapes: ['amzn.mws.{uuid}'] },
  ],
};
