import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import Mocha from 'mocha';
import { chooseEngine, type EngineChoice } from '../support/engine-under-test.js';
import { storeTranscript } from './expected-transcript.js';
import { runScenario } from './run-scenario.js';
import { scenarios } from './scenarios/all.js';

const usage = `use: npm run test:engine -- --engine embedded|drachtio [options]
  --engine embedded   an embedded engine of the test's own (default)
  --engine drachtio   a drachtio-server that runs, with no application connected:
    --host HOST         of its control port (127.0.0.1)
    --port PORT         its control port (9022)
    --secret SECRET     of its control port (cymru)
    --sip-port PORT     where it takes SIP over UDP and TCP on 127.0.0.1 (5060)
  --suite transcripts|trunk
                      the scenarios (default), or what is built on the engine: the tests of sip/trunk
  --grep TEXT         only what has TEXT in its name
  --write             write down what the engine says, in place of comparing it
`;

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'embedded' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '9022' },
    secret: { type: 'string', default: 'cymru' },
    'sip-port': { type: 'string', default: '5060' },
    suite: { type: 'string', default: 'transcripts' },
    grep: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const choice = choiceOf(values);
if (choice === undefined || values.help) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  chooseEngine(choice);
  await (values.write ? write(choice) : compare());
}

function choiceOf(options: typeof values): EngineChoice | undefined {
  const { engine, host, secret } = options;
  if (engine === 'embedded') return { engine };
  if (engine !== 'drachtio') return undefined;
  return { engine, host, port: Number(options.port), secret, sipPort: Number(options['sip-port']) };
}

async function write({ engine }: EngineChoice): Promise<void> {
  for (const scenario of scenarios.filter(({ name }) => name.includes(values.grep))) {
    try {
      storeTranscript(scenario.name, engine, await runScenario(scenario));
      process.stdout.write(`${scenario.name}: written\n`);
    } catch (error) {
      process.stdout.write(`${scenario.name}: ${String(error)}\n`);
      process.exitCode = 1;
    }
  }
}

async function compare(): Promise<void> {
  const mocha = new Mocha({ grep: values.grep, timeout: 20_000 });
  for (const file of filesOf(values.suite)) mocha.addFile(file);
  await mocha.loadFilesAsync();
  mocha.run((failures) => {
    process.exitCode = failures === 0 ? 0 : 1;
  });
}

function filesOf(suite: string): string[] {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  if (suite !== 'trunk') return [at('./transcripts.test.js')];
  const folder = at('../integration/trunk/');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => folder + name);
}
