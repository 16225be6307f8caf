/** Just enough of NATS's JWTs to run a server that lets in users whose credentials expire. */
import { nkeys } from 'nats';

type KeyPair = ReturnType<typeof nkeys.createUser>;

export interface JwtAuthority {
  /** for nats-server's configuration */
  readonly settings: Readonly<Record<string, unknown>>;
  /** the text of a `.creds` file */
  credentials(expiresAtSeconds?: number): string;
}

export function jwtAuthority(): JwtAuthority {
  const operator = nkeys.createOperator();
  const account = nkeys.createAccount();
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const operatorJwt = sign(operator, operator, { type: 'operator' });
  const accountJwt = sign(operator, account, {
    type: 'account',
    limits: { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
  });
  return {
    settings: {
      authorization: undefined,
      jetstream: undefined,
      operator: operatorJwt,
      resolver: 'MEMORY',
      resolver_preload: { [account.getPublicKey()]: accountJwt },
    },
    credentials(expiresAtSeconds) {
      const user = nkeys.createUser();
      const jwt = sign(account, user, { type: 'user', pub: {}, sub: {}, ...unlimited }, expiresAtSeconds);
      const seed = Buffer.from(user.getSeed()).toString();
      return [
        '-----BEGIN NATS USER JWT-----',
        jwt,
        '------END NATS USER JWT------',
        '',
        '-----BEGIN USER NKEY SEED-----',
        seed,
        '------END USER NKEY SEED------',
        '',
      ].join('\n');
    },
  };
}

function sign(issuer: KeyPair, subject: KeyPair, nats: object, exp?: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    jti: 'test',
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: 'test',
    ...(exp !== undefined && { exp }),
    nats: { ...nats, version: 2 },
  };
  const body = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
  return `${body}.${Buffer.from(issuer.sign(Buffer.from(body))).toString('base64url')}`;
}
