/** Users and their rights in the language of nats-server's configuration. */
import type { UserRights } from '../../core/cluster/permissions.js';

export interface ConfigurationOptions {
  readonly account: string;
  readonly jetstream: boolean;
  /** lines that say how this was made */
  readonly comments: readonly string[];
  /** public key by user; without one the server is to find it in its environment, and refuses to start where it does not */
  readonly keys: ReadonlyMap<string, string> | undefined;
}

/** To be included in the server's own file: an account with its users. */
export function configuration(users: readonly UserRights[], options: ConfigurationOptions): string {
  const { account, jetstream, comments, keys } = options;
  return `${[
    ...comments.map((line) => `# ${line}`),
    'accounts: {',
    `  ${quoted(account)}: {`,
    ...(jetstream ? ['    jetstream: enabled'] : []),
    '    users: [',
    ...users.flatMap((user) => userLines(user, keys?.get(user.name))),
    '    ]',
    '  }',
    '}',
  ].join('\n')}\n`;
}

function userLines({ name, who, notes, publish, subscribe }: UserRights, key: string | undefined): string[] {
  return [
    `      # ${name}: ${who}`,
    ...notes.map((note) => `      # ${note}`),
    '      {',
    `        nkey: ${key ?? `$${variable(name)}`}`,
    '        permissions: {',
    ...allowed('publish', publish),
    ...allowed('subscribe', subscribe),
    '        }',
    '      }',
  ];
}

function allowed(what: string, subjects: readonly string[]): string[] {
  // without a list everything would be allowed
  if (subjects.length === 0) return [`          ${what}: { deny: ">" }`];
  return [
    `          ${what}: { allow: [`,
    ...subjects.map((subject) => `            ${quoted(subject)}`),
    '          ] }',
  ];
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** `SQUALL_SPLIT_2_NKEY` */
function variable(name: string): string {
  return `SQUALL_${name.toUpperCase().replaceAll(/\W/g, '_')}_NKEY`;
}
