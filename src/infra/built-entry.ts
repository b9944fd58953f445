import { fileURLToPath } from 'node:url';

/**
 * Path of a compiled file that another process is to run, from the `import.meta.url` of the one that starts it.
 * Tests import TypeScript sources, but Node runs only what `npm run build` made of them: `src/` becomes `dist/`.
 */
export function builtEntry(relativePath: string, importMetaUrl: string): string {
  const path = fileURLToPath(new URL(relativePath, importMetaUrl));
  return importMetaUrl.endsWith('.ts')
    ? path.replace(/([\\/])src([\\/](?!.*[\\/]src[\\/]))/, '$1dist$2')
    : path;
}
