/** The worked example of an acker, a step a line: `ACK  split  what it is about  5d1a 8c07  = 837b`. */
export interface AckerStep {
  readonly said: 'INIT' | 'ACK' | 'DONE';
  readonly by: string;
  /** edge ids, 16 bits each; none with DONE */
  readonly edges: readonly number[];
  /** XOR of all edges so far, as the document has it */
  readonly value: number;
}

export function ackerSteps(text: string): AckerStep[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const done = /^DONE +(\w+)$/.exec(line);
      if (done !== null) return { said: 'DONE', by: done[1], edges: [], value: 0 };
      const [, said, by, edges, value] =
        /^(INIT|ACK) +(\w+) .*? {2,}((?:[0-9a-f]{4} )+) *= ([0-9a-f]{4})$/.exec(line) ?? [];
      if (said === undefined) throw new Error(`no step of an acker: ${line}`);
      const ids = edges.trim().split(' ');
      return { said: said as 'INIT' | 'ACK', by, edges: ids.map(hex), value: hex(value) };
    });
}

function hex(text: string): number {
  return Number.parseInt(text, 16);
}
