import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** An id that owns nothing here. */
const NOBODY = 65534;

/**
 * Evaluates `call`, with the exports of `module` (below the compiled root) in scope, in a process that may not read the
 * `closed` names in `folder`, and returns its result or its error. Root may read everything, so it steps down first.
 */
export async function asNobody(
  folder: string,
  closed: readonly string[],
  { module, call }: { readonly module: string; readonly call: string },
): Promise<unknown> {
  await chmod(folder, 0o755);
  for (const name of closed) await chmod(join(folder, name), 0);
  try {
    const url = new URL(`../../${module}`, import.meta.url);
    const names = Object.keys(await import(url.href)).join(', ');
    const code = `
      const { ${names} } = await import(${JSON.stringify(url.href)});
      if (process.getuid() === 0) process.setuid(${NOBODY});
      let found;
      try { found = await ${call}; } catch ({ code, message, facts }) { found = { code, message, facts }; }
      console.log(JSON.stringify(found));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
    return JSON.parse(stdout);
  } finally {
    for (const name of closed) await chmod(join(folder, name), 0o755);
  }
}
