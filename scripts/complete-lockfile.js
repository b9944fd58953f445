/**
 * Run it after a change of the dependencies. A package with prebuilt binaries names one optional package a platform; npm
 * leaves those out of package-lock.json that it could not look up, or (npm/cli#4828) that are not installed here, and
 * then `npm ci` refuses the lock file on every machine. This puts them back, each with the version that its parent asks
 * for and the platform that its name tells, so that npm skips them elsewhere and fetches them there.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = ['linux', 'darwin', 'win32', 'android', 'freebsd'];
const processors = ['arm64', 'x64', 'arm', 'ia32'];

const missing = {};
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  // The project's own optional dependencies are looked up like any other.
  if (path === '') continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const place = `node_modules/${name}`;
    if (lock.packages[place] ?? lock.packages[`${path}/${place}`]) continue;
    const words = name.split(/[-/]/);
    const os = systems.filter((system) => words.includes(system));
    const cpu = processors.filter((processor) => words.includes(processor));
    if (os.length === 0 || cpu.length === 0) throw new Error(`${name}: its name tells no platform`);
    const libc = os[0] === 'linux' ? { libc: [words.includes('musl') ? 'musl' : 'glibc'] } : {};
    missing[place] = { version, cpu, ...(dev ? { dev } : {}), ...libc, optional: true, os };
  }
}
const { '': project, ...packages } = { ...lock.packages, ...missing };
const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = { '': project, ...Object.fromEntries(sorted) };
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${Object.keys(missing).length} optional packages put back`);
