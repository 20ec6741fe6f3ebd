import { fetchPageConfig } from '../shared/fetch-page-config.js';
import { createStore } from '../shared/store.js';
import { Microphones } from './audio/microphones.js';
import { Ringer } from './audio/ringer.js';
import { leftPageText, readLeftPage, type LeftPage } from './call/left-call.js';
import {
  rememberedMicrophone,
  rememberedPassword,
  rememberedUser,
  rememberLeft,
  rememberMicrophone,
  rememberPassword,
  rememberUser,
  takeLeft,
} from './line/browser-memory.js';
import { takeTokenFromAddress, userOfToken } from './line/access-token.js';
import { reconnectDelayMs } from './line/backoff.js';
import { PhoneSession } from './phone-session.js';
import { initialPhoneState, reducePhone, type PhoneState, type PhoneStore } from './state/phone-state.js';
import { microphoneWords } from './words/failure-words.js';
import type { PhoneActions } from './view/actions.js';
import { showPhone } from './view/phone-page.js';

const store: PhoneStore = createStore(
  reducePhone,
  initialPhoneState(rememberedUser(), rememberedMicrophone()),
);
const microphones = new Microphones(store, rememberMicrophone);
const ringer = new Ringer();
let session: PhoneSession | undefined;

function signIn(user: string, password: string): void {
  const { page } = store.state;
  if (page.phase !== 'configured' || user === '' || session !== undefined) return;
  rememberUser(user);
  rememberPassword(password);
  store.dispatch({ type: 'line/sign-in', user });
  const left = readLeftPage(takeLeft());
  begin(user, password, left?.user === user ? left : undefined);
}

function begin(user: string, password: string, left: LeftPage | undefined): void {
  const { page } = store.state;
  if (page.phase !== 'configured') return;
  try {
    session = new PhoneSession({ page: page.config, user, password, store, microphones, left, moved });
  } catch (error) {
    rememberPassword('');
    const detail = error instanceof Error ? error.message : '';
    store.dispatch({ type: 'line/refused', refusal: { title: 'That user name cannot be used', detail } });
  }
}

/** A fresh page can do what this one could, and has nothing of the calls that have gone to another window. */
function moved(): void {
  session = undefined;
  setTimeout(() => window.location.reload(), 0);
}

/** Tries again now; when another window has the phone, takes it from there, with its calls. */
async function retry(): Promise<void> {
  const asking = session;
  if (store.state.line.phase !== 'replaced') return asking?.line.retry();
  const left = await asking?.useHere();
  if (left === undefined || asking === undefined || session !== asking) return;
  void asking.close();
  store.dispatch({ type: 'line/connecting' });
  begin(left.user, rememberedPassword(), left);
}

/** The server refused us or the person left: nothing of the session may stay. */
function endSession(): void {
  rememberPassword('');
  const ended = session;
  session = undefined;
  void ended?.close();
}

const actions: PhoneActions = {
  signIn,
  signOut: () => store.dispatch({ type: 'line/sign-out' }),
  retry: () => void retry(),
  dial: (typed) => session?.dial(typed) ?? false,
  answer: (id) => void session?.calls.answer(id),
  answerAndEndOther: (id) => session?.calls.answerAndEndOther(id),
  decline: (id) => session?.calls.decline(id),
  hangUp: (id) => session?.calls.hangUp(id),
  setMuted: (id, muted) => session?.calls.setMuted(id, muted),
  setHeld: (id, held) => void session?.calls.setHeld(id, held),
  sendDigit: (id, digit) => session?.calls.sendDigit(id, digit),
  chooseMicrophone: (id) => {
    microphones.choose(id);
    session?.calls.useChosenMicrophone().catch((error: unknown) => microphoneProblem(error));
  },
  revealMicrophones: () => void microphones.reveal().catch((error: unknown) => microphoneProblem(error)),
  dismissNotice: () => store.dispatch({ type: 'notice/dismissed' }),
};

function microphoneProblem(error: unknown): void {
  store.dispatch({ type: 'notice/shown', notice: { tone: 'problem', ...microphoneWords(error) } });
}

function follow(state: PhoneState): void {
  ringer.update(state.calls);
  if (state.line.phase === 'signed-out' && session !== undefined) endSession();
}

/** Without its configuration the page can do nothing: it keeps asking. A reload within the tab signs in again. */
async function configure(failures: number): Promise<void> {
  try {
    store.dispatch({ type: 'page/configured', config: await fetchPageConfig() });
  } catch {
    store.dispatch({ type: 'page/unreachable' });
    setTimeout(() => void configure(failures + 1), reconnectDelayMs(failures + 1, Math.random()));
    return;
  }
  if (tokenConfig() !== undefined) return signInByToken(takeTokenFromAddress() || rememberedPassword());
  const password = rememberedPassword();
  if (password !== '') signIn(rememberedUser(), password);
}

/** A token of another user than the one who is signed in begins a session of its own. */
function signInByToken(token: string): void {
  const claim = tokenConfig()?.aorClaim;
  if (token === '' || claim === undefined) return;
  const user = userOfToken(token, claim);
  if (session === undefined) return signIn(user, token);
  if (user !== store.state.line.user) {
    store.dispatch({ type: 'line/sign-out' });
    return signIn(user, token);
  }
  rememberPassword(token);
  session.line.useToken(token);
}

function tokenConfig() {
  const { page } = store.state;
  return page.phase === 'configured' ? page.config.token : undefined;
}

const host = document.getElementById('phone');
if (host === null) throw new Error('the page has no place for the phone');
showPhone(host, store, actions);
store.subscribe(follow);
window.addEventListener('hashchange', () => {
  if (tokenConfig() !== undefined) signInByToken(takeTokenFromAddress());
});
// Nobody knows here whether the tab is reloaded or closed: the server ends the calls when no page comes back to them.
window.addEventListener(
  'pagehide',
  () => session !== undefined && rememberLeft(leftPageText(session.leave())),
);
window.addEventListener('pageshow', ({ persisted }) => persisted && window.location.reload());
void configure(0);
