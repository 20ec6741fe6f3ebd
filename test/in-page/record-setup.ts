/** When things happened in a page, in milliseconds since the Unix epoch. */
export interface SetupMoments {
  /** Call or Answer was pressed. */
  pressedMs?: number;
  microphoneMs?: number;
  /** The INVITE, or the 200 to it, was sent. */
  sentMs?: number;
  /** The 200 to the INVITE came. */
  answeredMs?: number;
  iceMs?: number;
  connectedMs?: number;
  /** The first RTP packet came. */
  heardMs?: number;
}

/**
 * Runs in a page before its own scripts: from now on the moments of the call at hand are kept in `globalThis.setup`, and a
 * call that comes in is answered as soon as the button is there.
 */
export function recordSetup(): void {
  const host = globalThis as unknown as { setup: SetupMoments };
  host.setup = {};
  const note = (what: keyof SetupMoments): void => {
    host.setup[what] ??= performance.timeOrigin + performance.now();
  };

  const onClick = ({ target }: Event): void => {
    if (!(target instanceof Element) || target.closest('#call, #answer') === null) return;
    host.setup = {};
    note('pressedMs');
  };
  document.addEventListener('click', onClick, { capture: true });
  let wasShown = false;
  new MutationObserver(() => {
    const button = document.querySelector<HTMLButtonElement>('#answer');
    const isShown = button?.checkVisibility() === true;
    const appears = isShown && !wasShown;
    wasShown = isShown;
    if (appears) button.click();
  }).observe(document, { subtree: true, childList: true, attributes: true });

  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    note('microphoneMs');
    return stream;
  };

  const isAnswer = (text: string): boolean => text.startsWith('SIP/2.0 200') && /^CSeq:.*INVITE/im.test(text);
  const send: (this: WebSocket, data: string) => void = Reflect.get(WebSocket.prototype, 'send');
  WebSocket.prototype.send = function (this: WebSocket, data: string) {
    if (String(data).startsWith('INVITE ') || isAnswer(String(data))) note('sentMs');
    send.call(this, data);
  };
  const Socket = WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => isAnswer(String(data)) && note('answeredMs'));
    }
  };

  const Peer = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Peer {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.addEventListener('track', ({ track }) => track.addEventListener('unmute', () => note('heardMs')));
      this.addEventListener('iceconnectionstatechange', () => {
        if (this.iceConnectionState === 'connected') note('iceMs');
      });
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') note('connectedMs');
      });
    }
  };
}
