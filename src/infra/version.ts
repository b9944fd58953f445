/** The version of nextbest that runs, as `package.json` says. */
import { readFileSync } from 'node:fs';

const packageFile = new URL('../../package.json', import.meta.url);

export const { version: VERSION } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
