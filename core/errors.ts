/**
 * One error class for everything that Squall itself reports. `code` is for programs, the message is for people (what
 * was expected, what was found, where, what to do next), `facts` are the same things as fields.
 */
export class SquallError extends Error {
  readonly code: `ERR_SQUALL_${string}`;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(
    code: `ERR_SQUALL_${string}`,
    message: string,
    options: { readonly facts?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SquallError';
    this.code = code;
    this.facts = Object.freeze({ ...options.facts });
  }
}

/** A topology file may load another copy of this package, so this looks at the code, not at the class. */
export function isSquallError(error: unknown): error is SquallError {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_SQUALL_');
}

/** `'text' (string)`, `42 (number)`, `null`: a received value as error messages show it, never longer than a line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  let text: string;
  try {
    const json = typeof value === 'object' ? JSON.stringify(value) : undefined;
    text = typeof value === 'string' ? `'${value}'` : (json ?? String(value));
  } catch {
    text = Object.prototype.toString.call(value);
  }
  if (text.length > 80) text = `${text.slice(0, 77)}...`;
  return `${text} (${Array.isArray(value) ? 'array' : typeof value})`;
}
