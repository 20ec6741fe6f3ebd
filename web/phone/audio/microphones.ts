import type { Microphone, PhoneStore } from '../state/phone-state.js';

/** The microphones of this machine, and the streams that calls have opened on them. */
export class Microphones {
  private readonly streams = new Set<MediaStream>();
  private era = 0;

  constructor(
    private readonly store: PhoneStore,
    private readonly remember: (id: string) => void,
  ) {
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.list());
  }

  /**
   * Opens the chosen microphone, asking the person for permission when need be. Throws the browser's own error
   * (`NotAllowedError`, `NotFoundError`…), or a plain one on a page that is not secure.
   */
  async open(): Promise<MediaStream> {
    if (navigator.mediaDevices === undefined)
      throw new Error('Calls need a page that was opened over https.');
    const { era } = this;
    const stream = await this.capture();
    // The call was given up while the person was asked.
    if (era !== this.era) for (const track of stream.getTracks()) track.stop();
    this.streams.add(stream);
    void this.list();
    return stream;
  }

  /** Lets go of every microphone: no call is left. */
  release(): void {
    this.era += 1;
    for (const stream of this.streams) for (const track of stream.getTracks()) track.stop();
    this.streams.clear();
  }

  /** Reads which microphones there are; their names are told only once permission was given. */
  async list(): Promise<void> {
    if (navigator.mediaDevices === undefined) return;
    const devices = await navigator.mediaDevices.enumerateDevices();
    const list: Microphone[] = devices
      .filter(
        (device) => device.kind === 'audioinput' && device.deviceId !== '' && device.deviceId !== 'default',
      )
      .map((device, index) => ({ id: device.deviceId, label: device.label || `Microphone ${index + 1}` }));
    this.store.dispatch({ type: 'microphones/listed', list });
  }

  /** Asks for permission when the devices' names are still hidden, so that the choice can be made before a call. */
  async reveal(): Promise<void> {
    if (navigator.mediaDevices === undefined) return;
    if (this.store.state.microphones.list.length > 0) return;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
    await this.list();
  }

  choose(id: string): void {
    this.remember(id);
    this.store.dispatch({ type: 'microphones/chosen', id });
  }

  /** The chosen microphone may have been unplugged since: then the browser's default serves. */
  private async capture(): Promise<MediaStream> {
    const { chosenId } = this.store.state.microphones;
    if (chosenId === '') return navigator.mediaDevices.getUserMedia({ audio: true });
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: { deviceId: { exact: chosenId } } });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'OverconstrainedError') throw error;
      return navigator.mediaDevices.getUserMedia({ audio: true });
    }
  }
}
