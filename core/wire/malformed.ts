/** What a decoder throws on bytes that no encoder of ours wrote. The receiver counts it and drops the frame. */
export class Malformed extends Error {
  constructor(what: string) {
    super(`malformed frame: ${what}`);
    this.name = 'Malformed';
  }
}
