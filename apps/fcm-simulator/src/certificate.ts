/** The simulator's own TLS certificate, for localhost only. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Path of the PEM that clients trust. */
  readonly caPath: string;
}

const DAY_MS = 86_400_000;
const DAYS = 30;

/** The certificate kept in `dir`, made anew when there is none or it ends within a day. @throws when openssl is missing. */
export async function certificateIn(dir: string): Promise<Certificate> {
  const caPath = join(dir, 'ca.pem');
  const keyPath = join(dir, 'key.pem');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const kept = await read(caPath, keyPath);
  if (kept !== undefined) return { ...kept, caPath };
  await make(caPath, keyPath);
  const made = await read(caPath, keyPath);
  if (made === undefined) throw new Error(`openssl made no usable certificate in ${dir}`);
  return { ...made, caPath };
}

async function read(caPath: string, keyPath: string): Promise<{ cert: string; key: string } | undefined> {
  try {
    const [cert, key] = await Promise.all([readFile(caPath, 'utf8'), readFile(keyPath, 'utf8')]);
    const usable = new X509Certificate(cert).validToDate.getTime() > Date.now() + DAY_MS;
    return usable ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

async function make(caPath: string, keyPath: string): Promise<void> {
  const command = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days ${DAYS} -subj /CN=localhost`;
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const args = [...command.split(' '), '-addext', names, '-keyout', keyPath, '-out', caPath];
  try {
    await promisify(execFile)('openssl', args);
  } catch (error) {
    throw new Error('the simulator makes its certificate with the openssl command, which failed', { cause: error });
  }
}
