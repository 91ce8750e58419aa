// Runs before start, test and demo, on whatever Node is there: installs the packages if they are missing or stale.
// Not as npm's own prestart: installs run no scripts (.npmrc), and npm counts that one among them. The scripts go on with
// `env node`, because their shell remembers where it found the first node.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modified = (path) => statSync(root + path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  process.stderr.write('Installing packages …\n');
  const { status } = spawnSync('npm', ['ci', '--prefer-offline'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
}

// With the packages comes the right Node.js where there is one for this machine; elsewhere the system's must do.
const { stdout } = spawnSync('env', ['node', '--version'], { cwd: root, encoding: 'utf8' });
const [major, minor] = stdout.slice(1).split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    `Electric needs Node.js 24.15 or newer, this is ${stdout.trim()}: install it from nodejs.org.\n`,
  );
  process.exit(1);
}
