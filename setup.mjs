// Everything that `npm start`, `npm test` and `npm run bench` need on a fresh machine, and then the thing itself.
// Uses nothing but Node, so that it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(fileURLToPath(import.meta.url));
const neededNode = [20, 19];

/** Files of programs that tests speak with, and the Debian packages that have them. */
const peers = {
  '/usr/sbin/kamailio': 'kamailio',
  '/usr/share/doc/kamailio-tls-modules/copyright': 'kamailio-tls-modules',
  '/usr/share/doc/kamailio-presence-modules/copyright': 'kamailio-presence-modules',
  '/usr/bin/baresip': 'baresip',
  '/usr/bin/sipp': 'sip-tester',
  '/usr/bin/stunnel4': 'stunnel4',
  '/usr/bin/sipsak': 'sipsak',
  '/usr/bin/svmap': 'sipvicious',
  '/usr/bin/turnserver': 'coturn',
  '/usr/bin/chromium': 'chromium',
  '/usr/bin/rtpengine': 'rtpengine-daemon',
  '/usr/bin/redis-server': 'redis-server',
  '/usr/sbin/haproxy': 'haproxy',
};

const actions = { start, test, bench, fuzz, soak, 'test:engine': testEngine };

function main() {
  const [name = '', ...rest] = process.argv.slice(2);
  const action = actions[name];
  if (action === undefined) stop(`use: node setup.mjs ${Object.keys(actions).join('|')} [-- arguments]`, 2);
  checkNode();
  process.chdir(root);
  return action(rest[0] === '--' ? rest.slice(1) : rest);
}

function start(args) {
  installDependencies();
  build(['gateway'], ['sip', 'gateway']);
  // In this very process, so that signals reach the gateway once and directly.
  const program = join(root, 'dist/gateway/main.js');
  process.argv.splice(1, process.argv.length, program, 'start', ...args);
  process.setSourceMapsEnabled(true);
  return import(pathToFileURL(program).href);
}

function test(args) {
  const mochaArgs = chooseEngine(args);
  installDependencies();
  step('check the format', () => node('prettier', ['--check', '--log-level', 'warn', '.']));
  build([], ['sip', 'gateway', 'web', 'test']);
  step('lint', () => node('eslint', ['.', '--max-warnings', '0']));
  step('check the import directions', () =>
    node('depcruise', [
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err',
      'sip',
      'gateway',
      'test',
      'web',
    ]),
  );
  installPeers();
  return mochaArgs.length > 0 || process.env.WEBTRUNK_TEST_ENGINE !== undefined
    ? runTests(mochaArgs)
    : runTestsInHalves();
}

const allTests = 'dist/test/**/*.test.js';

/** What the arguments ask for, or everything, one after the other. */
function runTests(args) {
  const names = args.some((argument) => argument.endsWith('.js'));
  process.exitCode = node('mocha', names ? args : [allTests, ...args]);
}

/** Folders of `test/`. Tests wait most of the time: those with other programs run beside those without. */
const halves = [
  ['unit', 'integration', 'torture', 'conformance', 'fuzz', 'soak'],
  ['interop', 'e2e'],
];

/** Everything; the second half's output comes when both have ended, then what went wrong in either and one line for all. */
async function runTestsInHalves() {
  const runs = halves.map((folders, index) => runHalf(folders, index === 0));
  const ended = await Promise.all(runs);
  process.stdout.write(ended[1].output);
  for (const { output } of ended) process.stdout.write(remarksIn(output));
  const sum = (what) => ended.reduce((total, { output }) => total + countIn(output, what), 0);
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`);
  process.exitCode = ended.every(({ code }) => code === 0) ? 0 : 1;
}

/** A test that the other half has starved has a second go. */
const retries = ['--retries', '1'];

function runHalf(folders, isShown) {
  const specs = folders.map((folder) => `dist/test/${folder}/**/*.test.js`);
  const child = spawn(process.execPath, [programOf('mocha'), ...retries, ...specs], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
      if (isShown) process.stdout.write(chunk);
    });
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

/** The reporter's lines about single tests, with which the output closes so that nobody has to look for them. */
function remarksIn(output) {
  return [...output.matchAll(/^(?:skipped|tried again|failed): .*\n/gm)].join('');
}

/** From the closing line of the tests' reporter. */
function countIn(output, what) {
  const [last] = [...output.matchAll(new RegExp(`(\\d+) ${what}`, 'g'))].slice(-1);
  return Number(last?.[1] ?? 0);
}

/** Puts what `args` say about the SIP engine where tests look for it; gives the other arguments. */
function chooseEngine(args) {
  const text = { type: 'string' };
  const options = { engine: text, host: text, port: text, secret: text, 'sip-port': text };
  const { values, tokens } = parseArgs({ args, options, strict: false, tokens: true });
  const { engine = 'embedded', host = '127.0.0.1', port = 9022, secret = 'cymru' } = values;
  if (engine !== 'embedded' && engine !== 'drachtio')
    stop('use: npm test -- [--engine embedded|drachtio] …', 2);
  const choice = { engine, host, port: Number(port), secret, sipPort: Number(values['sip-port'] ?? 5060) };
  if (engine === 'drachtio') process.env.WEBTRUNK_TEST_ENGINE = JSON.stringify(choice);
  const ours = tokens.filter(({ kind, name }) => kind === 'option' && name in options);
  const taken = new Set(
    ours.flatMap(({ index, inlineValue }) => (inlineValue ? [index] : [index, index + 1])),
  );
  return args.filter((_argument, index) => !taken.has(index));
}

function bench(args) {
  runCompiled('dist/test/bench/main.js', args);
}

function fuzz(args) {
  runCompiled('dist/test/fuzz/main.js', args, ['--expose-gc']);
}

function soak(args) {
  runCompiled('dist/test/soak/main.js', args);
}

function testEngine(args) {
  runCompiled('dist/test/conformance/main.js', args);
}

function runCompiled(file, args, nodeArgs = []) {
  installDependencies();
  build([], ['sip', 'gateway', 'web', 'test']);
  const program = join(root, file);
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', ...nodeArgs, program, ...args], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}

// Steps

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [neededMajor, neededMinor] = neededNode;
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  stop(
    `webtrunk needs Node.js ${neededNode.join('.')} or later; this is ${process.versions.node}. Install a newer Node.js and run the command again.`,
  );
}

/** Installs what package-lock.json names, unless exactly that was installed before, for this version of Node. */
function installDependencies() {
  const stamp = join(root, 'node_modules/.webtrunk-stamp');
  const wanted = `${digest(readFileSync(join(root, 'package-lock.json')))} ${process.versions.modules}`;
  if (readIfThere(stamp) === wanted) return;
  say('installing dependencies (npm ci)');
  const { status } = spawnSync(
    'npm',
    ['ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) stop('npm ci failed: the lines above say why. Is the network there?');
  writeFileSync(stamp, wanted);
}

/** Compiles `projects` (all when empty) when something in `folders` has changed since the last time, and the pages. */
function build(projects, folders) {
  buildWhenChanged(`code-${projects.join('-') || 'all'}`, folders, () => {
    removeStale();
    step('compile', () => node('tsc', ['-b', ...projects]));
  });
  buildWhenChanged('pages', ['web', 'gateway/contract'], () => {
    step('build the pages', () => node('vite', ['build', 'web', '--logLevel', 'warn']));
  });
}

function buildWhenChanged(what, folders, act) {
  const stamp = join(root, 'dist', `.${what}-stamp`);
  const now = stateOf([...folders, 'tsconfig.json', 'tsconfig.base.json', 'package-lock.json']);
  if (readIfThere(stamp) === now) return;
  act();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}

/** Changes when a file is added, removed or written. */
function stateOf(places) {
  const hash = createHash('sha256');
  for (const file of places.flatMap((place) => filesBelow(join(root, place)))) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${relative(root, file)} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

/** Removes compiled files whose source is gone: mocha would still run them. */
function removeStale() {
  for (const project of ['sip', 'gateway', 'test']) {
    for (const file of filesBelow(join(root, 'dist', project))) {
      const source = file.replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts').replace(join(root, 'dist'), root);
      if (source.endsWith('.ts') && !existsSync(source)) rmSync(file);
    }
  }
}

/** Installs the Debian packages that tests need, when that is permitted. What is missing after that, tests skip by name. */
function installPeers() {
  const missing = Object.entries(peers).filter(([path]) => !existsSync(path));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  const apt = isExecutable('/usr/bin/apt-get');
  const prefix = apt ? rootPrefix() : undefined;
  if (prefix === undefined) {
    say(
      `not installed: ${packages.join(', ')}. Their tests are skipped. As root: apt-get install ${packages.join(' ')}`,
    );
    return;
  }
  say(`installing ${packages.join(', ')} (apt-get)`);
  const [command, ...args] = [...prefix, 'sh', '-c', aptScript, 'sh', ...packages];
  const { stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  for (const line of stdout.split('\n').filter((text) => text.startsWith('failed:')))
    say(`${line} Its tests are skipped.`);
}

/** policy-rc.d (Debian Policy §9.3.3.1) keeps packages from starting their services. */
const aptScript = `
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
log=$(mktemp)
apt-get update -qq > "$log" 2>&1 || cat "$log" >&2
for package in "$@"; do
  apt-get install -y -qq --no-install-recommends "$package" > "$log" 2>&1 && continue
  tail -n 3 "$log" >&2
  echo "failed: $package could not be installed."
done
rm -f "$log"
`;

/** What to put before a command so that it runs as root; undefined when that is not permitted without a question. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

// Tools

function step(name, act) {
  say(name);
  if (act() !== 0) stop(`${name}: failed`);
}

/** Runs a program of node_modules; gives its exit code. */
function node(name, args) {
  const { status } = spawnSync(process.execPath, [programOf(name), ...args], { cwd: root, stdio: 'inherit' });
  return status ?? 1;
}

function programOf(name) {
  const manifest = JSON.parse(readFileSync(manifestOf(name), 'utf8'));
  const bin = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[name];
  return join(dirname(manifestOf(name)), bin);
}

function manifestOf(name) {
  const packages = { tsc: 'typescript', depcruise: 'dependency-cruiser' };
  return join(root, 'node_modules', packages[name] ?? name, 'package.json');
}

function filesBelow(place) {
  if (!existsSync(place)) return [];
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => filesBelow(join(place, entry.name)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function say(text) {
  process.stdout.write(`setup: ${text}\n`);
}

function stop(text, code = 1) {
  process.stderr.write(`setup: ${text}\n`);
  process.exit(code);
}

main();
