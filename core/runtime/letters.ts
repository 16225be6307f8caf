/** What was heard of others' letters, so that one that is sent again, by whomever, is not heard again. */
export class Letters {
  readonly #last = new Map<number, { epoch: number; number: number }>();

  /** Undefined: it is new. A worker numbers its letters upwards, and they come in order. */
  refusal(sender: number, epoch: number, number: number): 'stale' | 'duplicate' | undefined {
    const last = this.#last.get(sender);
    if (last === undefined || epoch > last.epoch) {
      this.#last.set(sender, { epoch, number });
      return undefined;
    }
    if (epoch < last.epoch) return 'stale';
    if (number <= last.number) return 'duplicate';
    last.number = number;
    return undefined;
  }
}
