/** What the person can ask for; views call these and know nothing of SIP. */
export interface PhoneActions {
  signIn(user: string, password: string): void;
  signOut(): void;
  /** Tries the connection again now. */
  retry(): void;
  /** Calls what was typed; true when a call was begun. */
  dial(typed: string): boolean;
  answer(id: string): void;
  answerAndEndOther(id: string): void;
  decline(id: string): void;
  hangUp(id: string): void;
  setMuted(id: string, muted: boolean): void;
  setHeld(id: string, held: boolean): void;
  sendDigit(id: string, digit: string): void;
  chooseMicrophone(id: string): void;
  revealMicrophones(): void;
  dismissNotice(): void;
}
