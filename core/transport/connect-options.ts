/**
 * Where NATS is and how to be let in: from flags and the environment, with the NATS command line's names, so that a
 * shell which is set up for `nats` works as it is. Flag before environment before context.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SquallError } from '../errors.js';

/** One kind only. Files are read when a connection is dialled, so renewed credentials are picked up. */
export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  /** a `.creds` file: JWT and seed */
  | { readonly kind: 'creds'; readonly file: string }
  /** a file with an nkey seed */
  | { readonly kind: 'nkey'; readonly file: string };

export interface TlsFiles {
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
  /** the server speaks TLS before its greeting */
  readonly handshakeFirst?: boolean;
}

export interface ConnectOptions {
  /** `nats://host:port` or `tls://host:port`, without credentials; at least one */
  readonly servers: readonly string[];
  readonly credentials?: Credentials;
  readonly tls?: TlsFiles;
  /** for users who may not subscribe to `_INBOX.>` */
  readonly inboxPrefix?: string;
}

/** Settings as given by one source. All are optional; flags have the names of the environment, shortened. */
export interface ConnectFlags {
  /** comma-separated URLs; may hold `user:password@` or `token@` */
  readonly nats?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly creds?: string;
  readonly nkey?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly context?: string;
}

/** The same setting as a flag, in the environment, and in a context file of the NATS command line. */
const SETTINGS = [
  { name: 'nats', env: 'NATS_URL', context: 'url' },
  { name: 'user', env: 'NATS_USER', context: 'user' },
  { name: 'password', env: 'NATS_PASSWORD', context: 'password' },
  { name: 'token', env: 'NATS_TOKEN', context: 'token' },
  { name: 'creds', env: 'NATS_CREDS', context: 'creds' },
  { name: 'nkey', env: 'NATS_NKEY', context: 'nkey' },
  { name: 'cert', env: 'NATS_CERT', context: 'cert' },
  { name: 'key', env: 'NATS_KEY', context: 'key' },
  { name: 'ca', env: 'NATS_CA', context: 'ca' },
] as const;

/** Parts of a context that change where things are; to overlook one would connect to the wrong place. */
const UNSUPPORTED_IN_CONTEXT = ['nsc', 'socks_proxy', 'user_jwt', 'jetstream_domain', 'jetstream_api_prefix'];

const DEFAULT_URL = 'nats://127.0.0.1:4222';
const DEFAULT_PORT = 4222;

type Setting = (typeof SETTINGS)[number]['name'];

/** What one source (flags, environment, context) gives. `labels` are the names that people know the settings by. */
interface Source {
  readonly values: Partial<Record<Setting, string>>;
  label(name: Setting): string;
  readonly inboxPrefix?: string;
  readonly handshakeFirst?: boolean;
}

/**
 * The NATS that was asked for, or `undefined` where neither flag, environment nor context names one. Throws
 * ERR_SQUALL_NATS_OPTIONS for what cannot be used; no message holds a secret.
 */
export function connectOptions(
  flags: ConnectFlags,
  env: Readonly<Record<string, string | undefined>>,
): ConnectOptions | undefined {
  const sources: Source[] = [
    { values: given((setting) => flags[setting.name]), label: (name) => `--${name}` },
    {
      values: given((setting) => env[setting.env]),
      label: (name) => SETTINGS.find((setting) => setting.name === name)?.env ?? name,
      // Only contexts and connectEnvironment() know these two.
      inboxPrefix: env.SQUALL_NATS_INBOX_PREFIX,
      handshakeFirst: env.SQUALL_NATS_TLS_FIRST === '1',
    },
  ];
  const context = flags.context || env.NATS_CONTEXT;
  if (context) sources.push(contextSource(context, env));

  const first = (name: Setting): Source | undefined => sources.find((source) => source.values[name] !== undefined);
  const urlSource = first('nats');
  if (urlSource === undefined && !context) return undefined;
  const places = parseUrls(urlSource?.values.nats ?? DEFAULT_URL, urlSource?.label('nats') ?? 'default');

  // The first source that has any credentials gives all of them: a flag's user never meets the environment's token.
  let credentials: Credentials | undefined;
  for (const source of sources) {
    credentials ??= credentialsOf(source, source === urlSource ? places.credentials : undefined);
  }
  const tls = tlsOf(
    first('cert'),
    first('key'),
    first('ca'),
    sources.some((source) => source.handshakeFirst),
  );
  const inboxPrefix = sources.find((source) => source.inboxPrefix)?.inboxPrefix;
  return Object.freeze({
    servers: Object.freeze(places.servers),
    ...(credentials && { credentials: Object.freeze(credentials) }),
    ...(tls && { tls: Object.freeze(tls) }),
    ...(inboxPrefix && { inboxPrefix }),
  });
}

/**
 * The environment that gives a child process `options`; settings that are not used are `undefined`, so that
 * `{ ...process.env, ...connectEnvironment(options) }` leaves none of the parent's in force.
 */
export function connectEnvironment(options: ConnectOptions): Record<string, string | undefined> {
  const { credentials, tls } = options;
  return {
    NATS_URL: options.servers.join(','),
    NATS_USER: credentials?.kind === 'password' ? credentials.user : undefined,
    NATS_PASSWORD: credentials?.kind === 'password' ? credentials.password : undefined,
    NATS_TOKEN: credentials?.kind === 'token' ? credentials.token : undefined,
    NATS_CREDS: credentials?.kind === 'creds' ? credentials.file : undefined,
    NATS_NKEY: credentials?.kind === 'nkey' ? credentials.file : undefined,
    NATS_CERT: tls?.certFile,
    NATS_KEY: tls?.keyFile,
    NATS_CA: tls?.caFile,
    NATS_CONTEXT: undefined,
    SQUALL_NATS_INBOX_PREFIX: options.inboxPrefix,
    SQUALL_NATS_TLS_FIRST: tls?.handshakeFirst ? '1' : undefined,
  };
}

/** `nats://127.0.0.1:4222 (user bob, password ***)`: for screens and messages; holds no secret. */
export function masked(options: ConnectOptions): string {
  const notes: string[] = [];
  const { credentials, tls } = options;
  if (credentials?.kind === 'password') notes.push(`user ${credentials.user}`, 'password ***');
  if (credentials?.kind === 'token') notes.push('token ***');
  if (credentials?.kind === 'creds') notes.push(`credentials of ${credentials.file}`);
  if (credentials?.kind === 'nkey') notes.push(`nkey of ${credentials.file}`);
  if (tls?.certFile) notes.push(`certificate ${tls.certFile}`);
  if (tls?.caFile) notes.push(`CA ${tls.caFile}`);
  return options.servers.join(',') + (notes.length > 0 ? ` (${notes.join(', ')})` : '');
}

function given(value: (setting: (typeof SETTINGS)[number]) => string | undefined): Source['values'] {
  const values: Partial<Record<Setting, string>> = {};
  for (const setting of SETTINGS) {
    const text = value(setting);
    if (text) values[setting.name] = text;
  }
  return values;
}

function contextSource(name: string, env: Readonly<Record<string, string | undefined>>): Source {
  if (!/^[\w.-]+$/.test(name)) refuse(`Expected a NATS context to be a plain name, got ${JSON.stringify(name)}`);
  const file = join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'nats', 'context', `${name}.json`);
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    // A parse error quotes the text it failed on, which may be a password.
    const missing = (cause as NodeJS.ErrnoException).code;
    refuse(
      `The NATS context ${name} cannot be read from ${file} (${missing ?? 'not JSON'}): check it with \`nats context ls\``,
    );
  }
  const text = (key: string): string | undefined => {
    const value = fields[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const unsupported = UNSUPPORTED_IN_CONTEXT.filter((key) => text(key) !== undefined);
  if (unsupported.length > 0) {
    refuse(
      `The NATS context ${name} (${file}) uses ${unsupported.join(', ')}, which Squall cannot: give the server and its credentials directly`,
    );
  }
  return {
    values: given((setting) => text(setting.context)),
    label: (setting) => `${setting} of the NATS context ${name}`,
    inboxPrefix: text('inbox_prefix'),
    handshakeFirst: fields.tls_first === true,
  };
}

function credentialsOf(source: Source, inUrl: Credentials | undefined): Credentials | undefined {
  const { user, password, token, creds, nkey } = source.values;
  const found: { readonly from: string; readonly credentials: Credentials }[] = [];
  if (inUrl) found.push({ from: source.label('nats'), credentials: inUrl });
  if (user !== undefined && password !== undefined) {
    found.push({ from: source.label('user'), credentials: { kind: 'password', user, password } });
  } else if (user !== undefined) {
    // The NATS command line takes a user without a password for a token, too.
    found.push({ from: source.label('user'), credentials: { kind: 'token', token: user } });
  } else if (password !== undefined) {
    refuse(`${source.label('password')} is set, ${source.label('user')} is not: a password needs its user`);
  }
  if (token !== undefined) found.push({ from: source.label('token'), credentials: { kind: 'token', token } });
  if (creds !== undefined) found.push({ from: source.label('creds'), credentials: { kind: 'creds', file: creds } });
  if (nkey !== undefined) found.push({ from: source.label('nkey'), credentials: { kind: 'nkey', file: nkey } });
  if (found.length > 1) {
    refuse(
      `Expected one kind of NATS credentials, got ${found.map(({ from }) => from).join(' and ')}: keep one of them`,
    );
  }
  return found[0]?.credentials;
}

function tlsOf(
  cert: Source | undefined,
  key: Source | undefined,
  ca: Source | undefined,
  handshakeFirst: boolean,
): TlsFiles | undefined {
  const certFile = cert?.values.cert;
  const keyFile = key?.values.key;
  if (certFile !== undefined && keyFile === undefined)
    refuse(`${cert?.label('cert')} is set without its key: set NATS_KEY too`);
  if (keyFile !== undefined && certFile === undefined)
    refuse(`${key?.label('key')} is set without its certificate: set NATS_CERT too`);
  const caFile = ca?.values.ca;
  if (certFile === undefined && caFile === undefined && !handshakeFirst) return undefined;
  return {
    ...(certFile && { certFile, keyFile }),
    ...(caFile && { caFile }),
    ...(handshakeFirst && { handshakeFirst }),
  };
}

/** The client ignores credentials in URLs, and takes digits of a password for the port: so they are parted here. */
function parseUrls(text: string, label: string): { servers: string[]; credentials: Credentials | undefined } {
  const servers: string[] = [];
  const found = new Map<string, Credentials>();
  for (const part of text.split(',').map((url) => url.trim())) {
    if (part === '') continue;
    const hidden = withoutSecrets(part, text);
    const [, scheme = 'nats', rest] = /^(?:([a-z]+):\/\/)?(.*)$/i.exec(part) as RegExpExecArray;
    const secure = scheme.toLowerCase();
    if (secure !== 'nats' && secure !== 'tls') {
      refuse(`Expected ${label} to hold nats:// or tls:// URLs, got ${JSON.stringify(hidden)}`);
    }
    let url: URL;
    try {
      // A scheme that URL knows nothing of keeps its port; the host rules are those of http.
      url = new URL(`http://${rest}`);
    } catch {
      refuse(`Expected ${label} to hold URLs like nats://host:4222, got ${JSON.stringify(hidden)}`);
    }
    // http's own port is dropped by URL.
    const port = url.port === '' ? (/:80\/?$/.test(rest) ? 80 : DEFAULT_PORT) : Number(url.port);
    servers.push(`${secure}://${url.hostname}:${port}`);
    if (url.username !== '') {
      const user = decode(url.username, hidden);
      const password = decode(url.password, hidden);
      const credentials: Credentials =
        password === '' ? { kind: 'token', token: user } : { kind: 'password', user, password };
      found.set(JSON.stringify(credentials), credentials);
    }
  }
  if (servers.length === 0) refuse(`Expected ${label} to hold URLs like nats://host:4222, got nothing`);
  if (found.size > 1) refuse(`Expected the URLs of ${label} to share one user, got ${found.size} different ones`);
  return { servers, credentials: [...found.values()][0] };
}

/** A password may hold `/`, `@` and even the comma that parts URLs; what may be a piece of one is not shown. */
function withoutSecrets(part: string, text: string): string {
  if (!text.includes('@')) return part;
  return part.includes('@') ? `***@${part.slice(part.lastIndexOf('@') + 1)}` : '***';
}

function decode(text: string, hidden: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    refuse(`Expected user and password in ${JSON.stringify(hidden)} to be percent-encoded`);
  }
}

function refuse(message: string): never {
  throw new SquallError('ERR_SQUALL_NATS_OPTIONS', message);
}
