/**
 * Builds the numeric kernels (AssemblyScript) to two WebAssembly modules in dist/algorithms/kernels/: `simd.wasm`, which
 * every Node from 20 on runs, and `relaxed-simd.wasm`, with fused multiply-add. Does nothing when both are newer than
 * their sources.
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(import.meta.url);
const root = resolve(dirname(script), '..');
const sources = join(root, 'src/algorithms/kernels/assembly');
const target = join(root, 'dist/algorithms/kernels');

const BUILDS = [
  { file: 'simd.wasm', features: ['simd', 'threads'] },
  { file: 'relaxed-simd.wasm', features: ['simd', 'relaxed-simd', 'threads'] },
];

const changedAt = Math.max(
  ...[script, ...readdirSync(sources).map((name) => join(sources, name))].map(
    (path) => statSync(path).mtimeMs,
  ),
);
const stale = BUILDS.filter(({ file }) => {
  const built = statSync(join(target, file), { throwIfNoEntry: false });
  return built === undefined || built.mtimeMs < changedAt;
});

if (stale.length > 0) {
  mkdirSync(target, { recursive: true });
  const { default: asc } = await import('assemblyscript/asc');
  for (const { file, features } of stale) {
    const { error, stderr } = await asc.main([
      join(relative(process.cwd(), sources), 'index.ts'),
      ...['--outFile', join(relative(process.cwd(), target), file)],
      '-O3',
      '--noAssert',
      // No allocator, no garbage collector: the host lays out the memory.
      ...['--runtime', 'stub'],
      ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
      ...features.flatMap((feature) => ['--enable', feature]),
      // AS112: functions of v128 are exported from one file to another, not to the host.
      ...['--disableWarning', '112'],
    ]);
    if (error) {
      process.stderr.write(`${stderr.toString()}\n${file}: ${error.message}\n`);
      process.exit(1);
    }
  }
}
