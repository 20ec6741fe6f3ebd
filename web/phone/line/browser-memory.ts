/**
 * What the browser keeps for the page. The password, and the calls that a page leaves to the next one when it is reloaded,
 * live in this tab only and are never written to disk by us.
 */

const userKey = 'webtrunk.user';
const instanceKey = 'webtrunk.instance';
const microphoneKey = 'webtrunk.microphone';
const passwordKey = 'webtrunk.password';
const leftKey = 'webtrunk.left';

/** Storage may be forbidden (private windows, policies): the phone then forgets, and works. */
function read(storage: () => Storage, key: string): string {
  try {
    return storage().getItem(key) ?? '';
  } catch {
    return '';
  }
}

function write(storage: () => Storage, key: string, value: string): void {
  try {
    if (value === '') storage().removeItem(key);
    else storage().setItem(key, value);
  } catch {
    return;
  }
}

const lasting = (): Storage => localStorage;
const thisTab = (): Storage => sessionStorage;

export const rememberedUser = (): string => read(lasting, userKey);
export const rememberUser = (user: string): void => write(lasting, userKey, user);
export const rememberedPassword = (): string => read(thisTab, passwordKey);
export const rememberPassword = (password: string): void => write(thisTab, passwordKey, password);
export const rememberedMicrophone = (): string => read(lasting, microphoneKey);
export const rememberMicrophone = (id: string): void => write(lasting, microphoneKey, id);

export const rememberLeft = (text: string): void => write(thisTab, leftKey, text);

/** What an earlier page in this tab has left; forgotten with that, so that a copy of the tab does not take it too. */
export function takeLeft(): string {
  const text = read(thisTab, leftKey);
  rememberLeft('');
  return text;
}

/** The UUID that names this browser to the registrar as `+sip.instance` (RFC 5626 §4.1), the same at each visit. */
export function instanceId(): string {
  const known = read(lasting, instanceKey);
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(known)) return known;
  const made = randomUuid();
  write(lasting, instanceKey, made);
  return made;
}

/** `crypto.randomUUID` is there on secure pages only; a page over plain HTTP must at least be able to say so. */
function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
