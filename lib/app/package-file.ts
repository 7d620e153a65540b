/** The absolute path of a file that ships with the program. */
import { packageRoot } from '../host/package-files.ts';
import { join } from '../base/paths.ts';

export function packageFile(path: string): string {
  return join(packageRoot(), path);
}
