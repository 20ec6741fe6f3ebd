import type { CallerIdConfig, HeaderRuleConfig, NumbersConfig } from './config.js';
import type { ConfigFile } from './schema.js';

type WrittenTrunk = ConfigFile['trunks'][number];

/** What a trunk is told of numbers and of who calls. */
export function settleIdentity({ numbers, caller_id: callerId, headers }: WrittenTrunk): {
  readonly numbers: NumbersConfig | undefined;
  readonly callerId: CallerIdConfig | undefined;
  readonly headers: HeaderRuleConfig | undefined;
} {
  return {
    numbers: numbers === undefined ? undefined : { ...numbers, country: numbers.country },
    callerId:
      callerId === undefined
        ? undefined
        : {
            send: placesOf(callerId.send ?? 'from'),
            privacy: callerId.privacy,
            onMismatch: callerId.on_mismatch,
          },
    headers,
  };
}

function placesOf(text: string): CallerIdConfig['send'] {
  const named = text.split('+');
  return (['from', 'pai', 'rpid'] as const).filter((place) => named.includes(place));
}
