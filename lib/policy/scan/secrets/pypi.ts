/** PyPI. */
import type { Vendor } from '../rule.ts';

export const pypi: Vendor = {
  vendor: 'PyPI',
  rules: [
    {
      id: 'pypi-token', shapes: ['pypi-AgEIcHlwaS5vcmc{base64url:50-1000}', 'pypi-AgENdGVzdC5weXBpLm9yZw{base64url:50-1000}', 'pypi-AgE{base64url:60-1000}'],
      ignores: ['pypi-AgEIcHlwaS5vcmc{base64url:10}'],
    },
  ],
};
