/** Microsoft Azure. */
import type { Vendor } from '../rule.ts';

export const azure: Vendor = {
  vendor: 'Microsoft Azure',
  rules: [
    { id: 'azure-client-secret', shapes: ['{tilde:3}{digit:1}Q~{tilde:31-34}'], ignores: ['{tilde:3}{digit:1}Q~{base62:20}'] },
    {
      id: 'azure-storage-key', names: ['accountkey', 'sharedaccesskey', 'account_key', 'storage_key'], shapes: ['{base64:86}==', '{base64:43}='], confidence: 'high',
      catches: ['DefaultEndpointsProtocol=https;AccountName=a;AccountKey={base64:86}==;EndpointSuffix=core.windows.net'],
      ignores: ['AccountKey={base64:80}=='],
    },
    {
      id: 'azure-identifiable-key',
      shapes: ['{base64:76}APIM{base64:6}==', '{base64:76}ACDb{base64:6}==', '{base64:76}+ABa{base64:6}==', '{base64:76}+AMC{base64:6}==', '{base64:76}+ASt{base64:6}==', '{base64:33}AIoT{base64:6}=', '{base64:33}+ASb{base64:6}=', '{base64:33}+AEh{base64:6}=', '{base64:33}+ARm{base64:6}=', '{base64url:44}AzFu{base64url:6}==', '{base62:42}AzSe{base62:6}', '{base64:42}+ACR{base64:6}'],
    },
    { id: 'azure-openai-key', shapes: ['{base62:52}JQQJ99{base62:26}'] },
    { id: 'azure-devops-token', shapes: ['{base62:76}AZDO{base62:4}'] },
    { id: 'azure-devops-legacy-token', names: ['azure_devops', 'azuredevops', 'vsts', 'system_accesstoken'], shapes: ['{base36:52}'] },
    {
      id: 'azure-sas-signature', shapes: ['&sig={sas:43-90}', '?sig={sas:43-90}'],
      catches: ['https://a.blob.core.windows.net/c/b?sv=2022-11-02&sr=b&sig={base62:43}%3D'],
    },
  ],
};
