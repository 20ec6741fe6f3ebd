import Mocha from 'mocha';

/**
 * Mocha's spec reporter, then a line for every test that was skipped, that had a second go or that failed, with the
 * reason, and one closing line in plain words.
 */
export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const remarks: string[] = [];
    runner.on('pending', (test) => remarks.push(`skipped: ${test.fullTitle()}`));
    runner.on('retry', (test: Mocha.Test, error: Error) =>
      remarks.push(`tried again: ${test.fullTitle()}: ${inOneLine(error)}`),
    );
    runner.on('fail', (test, error: Error) =>
      remarks.push(`failed: ${test.fullTitle()}: ${inOneLine(error)}`),
    );
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats ?? { passes: 0, failures: 1, pending: 0 };
      for (const remark of remarks) process.stdout.write(`${remark}\n`);
      process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
    });
  }
}

const longestReason = 600;

function inOneLine({ message }: Error): string {
  return message.replaceAll(/\s+/g, ' ').slice(0, longestReason);
}
