import { element, setShown, setText } from '../../shared/dom.js';
import { icon } from '../../shared/icons.js';
import type { PhoneState } from '../state/phone-state.js';
import type { Words } from '../words/failure-words.js';
import type { PhoneActions } from './actions.js';
import type { View } from './view.js';

const insecureWords =
  'This page was not opened over https, so the browser keeps the microphone from it. Calls will not work here.';

interface Fields {
  readonly user: HTMLInputElement;
  readonly password: HTMLInputElement;
}

function createFields(rememberedUser: string): Fields {
  const user = element('input', {
    id: 'user',
    attributes: {
      name: 'username',
      autocomplete: 'username',
      autocapitalize: 'none',
      spellcheck: 'false',
      required: '',
    },
  });
  user.value = rememberedUser;
  const password = element('input', {
    id: 'password',
    attributes: { name: 'password', type: 'password', autocomplete: 'current-password', required: '' },
  });
  return { user, password };
}

const noWords: Words = { title: '', detail: '' };

/** Why the person is not signed in, when there is a reason beyond not having asked. */
function problemOf({ line, page }: PhoneState): Words {
  if (page.phase === 'unreachable') return { title: 'Server not reachable, trying again…', detail: '' };
  return line.phase === 'signed-out' ? (line.refusal ?? noWords) : noWords;
}

/** The form before anything else: who are you. */
export function createSignIn(actions: PhoneActions, rememberedUser: string): View {
  const fields = createFields(rememberedUser);
  const domain = element('span', { class: 'field-suffix', id: 'domain' });
  const problem = element('p', { class: 'problem', id: 'sign-in-problem', attributes: { role: 'alert' } });
  const smallPrint = element('small', { class: 'small-print', id: 'sign-in-detail' });
  const submit = element('button', {
    class: 'button primary wide',
    text: 'Sign in',
    attributes: { type: 'submit' },
  });
  const insecure = element('p', { class: 'hint', text: insecureWords });
  setShown(insecure, !window.isSecureContext);

  const byPassword = [
    element('label', { text: 'User name', attributes: { for: 'user' } }),
    element('div', { class: 'field' }, fields.user, domain),
    element('label', { text: 'Password', attributes: { for: 'password' } }),
    element('div', { class: 'field' }, fields.password),
  ];
  let loginUrl: string | undefined;

  const form = element(
    'form',
    { class: 'sign-in', id: 'sign-in' },
    element('div', { class: 'sign-in-mark' }, icon('brand')),
    element('h1', { text: 'webtrunk phone' }),
    element('p', {
      class: 'hint',
      text: 'Call from the browser, through the phone system you already have.',
    }),
    ...byPassword,
    problem,
    smallPrint,
    submit,
    insecure,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (loginUrl !== undefined) return window.location.assign(loginUrl);
    actions.signIn(fields.user.value.trim(), fields.password.value);
    fields.password.value = '';
  });

  let wasShown = false;
  return {
    root: form,
    update(state: PhoneState) {
      const shown = state.line.phase === 'signed-out';
      setShown(form, shown);
      const words = problemOf(state);
      setText(problem, words.title);
      setText(smallPrint, words.detail);
      const token = state.page.phase === 'configured' ? state.page.config.token : undefined;
      loginUrl = token?.loginUrl;
      for (const field of byPassword) setShown(field, token === undefined);
      fields.user.required = fields.password.required = token === undefined;
      submit.disabled = state.page.phase !== 'configured' || (token !== undefined && loginUrl === undefined);
      setText(domain, state.page.phase === 'configured' ? `@${state.page.config.domain}` : '');
      if (shown && !wasShown) (fields.user.value === '' ? fields.user : fields.password).focus();
      wasShown = shown;
    },
  };
}
