/** Certificates for tests, valid for a hundred years: a CA; servers on `localhost` and on 127.0.0.1; a client. Nobody else trusts the CA. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FILES = {
  'ca.pem': `-----BEGIN CERTIFICATE-----
MIIBijCCAS+gAwIBAgIUTXjMlxTDiZsS2v8Zi5D8jBwdyMUwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOU3F1YWxsIHRlc3QgQ0EwIBcNMjYxMTIxMDcwNjIwWhgPMjEy
NjEwMjgwNzA2MjBaMBkxFzAVBgNVBAMMDlNxdWFsbCB0ZXN0IENBMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEs+YaV2KtOI2w7KreLhuBqd+bsKgmxOCUtjIONLpS
3CU3ZBKF40ii0Nk4boq/dCCs6ZqFzL/HXSK/ZtV+BFapsaNTMFEwHQYDVR0OBBYE
FHlAE+TutmlaaHMYi+lQ7K3K4FGkMB8GA1UdIwQYMBaAFHlAE+TutmlaaHMYi+lQ
7K3K4FGkMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAKXVfQFP
vNsY6WZpMXa6Nz930FlgcOIIbnOSBwhQXLhbAiEAgPr6Bra0Ac2p0ZLGagAEZNPS
RBmwc9Mmj7fowuG88EM=
-----END CERTIFICATE-----
`,
  'server.pem': `-----BEGIN CERTIFICATE-----
MIIBhjCCASygAwIBAgIUJjz1GflanO+4R1oyR4Ewc9OWi5MwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOU3F1YWxsIHRlc3QgQ0EwIBcNMjYxMTIxMDcwODQyWhgPMjEy
NjEwMjgwNzA4NDJaMBExDzANBgNVBAMMBnNlcnZlcjBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABDmMebR3n95sOMze5uhhTkAETUS+Y540EgfVq+Yfi1gyuHuKKGnW
dRoEygOPzCbSXyrqJs1DFu/xIXJbAZdc/dOjWDBWMBQGA1UdEQQNMAuCCWxvY2Fs
aG9zdDAdBgNVHQ4EFgQUVQIm2p/+pfcc1GpZfJ88V5OJc40wHwYDVR0jBBgwFoAU
eUAT5O62aVpocxiL6VDsrcrgUaQwCgYIKoZIzj0EAwIDSAAwRQIhAJCnThjc/8WF
gdive9MU39qHklKbriGXLE0runPKdRM1AiBgIrIpnBRwGgKpjvbjUvU347eEhf7N
DdvJMv4ZBhJ0TQ==
-----END CERTIFICATE-----
`,
  'server.key': `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIE1GIvL3TgzQhChmp4Yv9sTSwrGB7rlnYotwThFSZLjLoAoGCCqGSM49
AwEHoUQDQgAEOYx5tHef3mw4zN7m6GFOQARNRL5jnjQSB9Wr5h+LWDK4e4ooadZ1
GgTKA4/MJtJfKuomzUMW7/EhclsBl1z90w==
-----END EC PRIVATE KEY-----
`,
  'server-ip.pem': `-----BEGIN CERTIFICATE-----
MIIBgzCCASqgAwIBAgIUJjz1GflanO+4R1oyR4Ewc9OWi5QwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOU3F1YWxsIHRlc3QgQ0EwIBcNMjYxMTIxMDcwODQyWhgPMjEy
NjEwMjgwNzA4NDJaMBQxEjAQBgNVBAMMCXNlcnZlci1pcDBZMBMGByqGSM49AgEG
CCqGSM49AwEHA0IABNtRI8yxKPu3MVwRabF3v4IuMO49tRifaH5Q1ffJptFIKpWZ
7F66m2zjp9Nzl5692SyfOmFhLWqwk6WY5G75U8OjUzBRMA8GA1UdEQQIMAaHBH8A
AAEwHQYDVR0OBBYEFAUY2di3yKs0n/jlpTXyIF8vLsCiMB8GA1UdIwQYMBaAFHlA
E+TutmlaaHMYi+lQ7K3K4FGkMAoGCCqGSM49BAMCA0cAMEQCIFJDGa39Y2RZBzfx
z6wNQxjEeb/zxq7jq3885Jlqhym4AiAW7j4/6IxTKnAPOI9/YWm+37SY7/n1bc4M
zAC9XAn7Zg==
-----END CERTIFICATE-----
`,
  'server-ip.key': `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIIRxfny4MLtZwd3aZ7R5w5YJzPLCg8dZznSGurrXbvFMoAoGCCqGSM49
AwEHoUQDQgAE21EjzLEo+7cxXBFpsXe/gi4w7j21GJ9oflDV98mm0UgqlZnsXrqb
bOOn03OXnr3ZLJ86YWEtarCTpZjkbvlTww==
-----END EC PRIVATE KEY-----
`,
  'client.pem': `-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUJjz1GflanO+4R1oyR4Ewc9OWi5UwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOU3F1YWxsIHRlc3QgQ0EwIBcNMjYxMTIxMDcwODQyWhgPMjEy
NjEwMjgwNzA4NDJaMBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABEx4VH08QFxwVhfJxfCV2EJGB0i+5PgwQ2sy7ZjlPYfXFX0DIcHp
qfvMd2ebr+ZEwcTUuFY/ekzbgvdu8Sq413KjVTBTMBEGA1UdEQQKMAiCBmNsaWVu
dDAdBgNVHQ4EFgQUUbiArJXC4U6vqVrGFdJJxDDHsWowHwYDVR0jBBgwFoAUeUAT
5O62aVpocxiL6VDsrcrgUaQwCgYIKoZIzj0EAwIDSAAwRQIhAOlLaDM+CQPuK2xR
TjF00sDSMsWwTEqdf0qFObIfSbPRAiBqMFSlrD3Bmr32qOPK+f0I5dmhQSb6kLxC
udUfDmNk9g==
-----END CERTIFICATE-----
`,
  'client.key': `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIERslu3p5skDkw1DGyalTFjvN4pXUK3hOm22KwiPiTGSoAoGCCqGSM49
AwEHoUQDQgAETHhUfTxAXHBWF8nF8JXYQkYHSL7k+DBDazLtmOU9h9cVfQMhwemp
+8x3Z5uv5kTBxNS4Vj96TNuC927xKrjXcg==
-----END EC PRIVATE KEY-----
`,
} as const;

export interface TestCertificates {
  readonly path: (name: keyof typeof FILES) => string;
  remove(): Promise<void>;
}

/** The certificates as files. */
export async function testCertificates(): Promise<TestCertificates> {
  const dir = await mkdtemp(join(tmpdir(), 'squall-tls-'));
  for (const [name, contents] of Object.entries(FILES)) await writeFile(join(dir, name), contents, { mode: 0o600 });
  return { path: (name) => join(dir, name), remove: () => rm(dir, { recursive: true }) };
}
