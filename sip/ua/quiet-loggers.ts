import { Logger, LoggerFactory } from 'sip.js/lib/core/index.js';
import type { Log } from '../log.js';

/** Passes sip.js's warnings and errors on at debug level and drops its running commentary. */
class QuietLogger extends Logger {
  constructor(
    factory: LoggerFactory,
    private readonly sink: Log,
  ) {
    super(factory, 'sip');
  }

  override error(content: string): void {
    this.sink.debug({ sipjs: content }, 'sip.js error');
  }

  override warn(content: string): void {
    this.sink.debug({ sipjs: content }, 'sip.js warning');
  }

  override log(): void {
    // Commentary on the normal course of events.
  }

  override debug(): void {
    // Commentary on the normal course of events.
  }
}

/** One logger for all of an endpoint's transactions; sip.js's own factory prints to the console. */
export class QuietLoggerFactory extends LoggerFactory {
  private readonly only: Logger | undefined;

  constructor(log: Log) {
    super();
    this.builtinEnabled = false;
    this.only = new QuietLogger(this, log);
  }

  /** Called by the base constructor too, before there is a logger of ours. */
  override getLogger(category: string): Logger {
    return this.only ?? super.getLogger(category);
  }
}
