/** Runs in a page: from now on the frequency of each tone that the page makes itself is kept in `globalThis.tones`. */
export function recordTones(): void {
  const tones: number[] = [];
  Object.assign(globalThis, { tones });
  const start: (this: OscillatorNode, when?: number) => void = Reflect.get(OscillatorNode.prototype, 'start');
  OscillatorNode.prototype.start = function (this: OscillatorNode, when?: number) {
    tones.push(this.frequency.value);
    start.call(this, when);
  };
}
