/** Google's side of signing in: bearers handed out for a subject token (RFC 8693) and known again at the send. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const PROJECT_NUMBER = '727272727272';
const POOL = `//iam.googleapis.com/projects/${PROJECT_NUMBER}/locations/global/workloadIdentityPools/sim/providers/sim`;
/** Bearers kept at most: the oldest are forgotten, which revokes them. */
const MAX_BEARERS = 10_000;

export interface ExchangeAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export class Bearers {
  readonly #subjectToken = randomBytes(24).toString('base64url');
  /** `Authorization` header → epoch milliseconds of its end. */
  readonly #ends = new Map<string, number>();

  issue(lifetimeSeconds: number): string {
    const token = `ya29.sim-${randomBytes(24).toString('base64url')}`;
    this.#ends.set(`Bearer ${token}`, Date.now() + lifetimeSeconds * 1000);
    const oldest = this.#ends.keys().next();
    if (this.#ends.size > MAX_BEARERS && oldest.done !== true) this.#ends.delete(oldest.value);
    return token;
  }

  revokeAll(): void {
    this.#ends.clear();
  }

  /** Whether the whole `Authorization` header names a bearer that has not ended. */
  accepts(authorization: string, nowMs: number): boolean {
    return nowMs < (this.#ends.get(authorization) ?? 0);
  }

  /** Answers a token exchange (RFC 8693, section 2). */
  exchange(form: URLSearchParams, lifetimeSeconds: number): ExchangeAnswer {
    if (form.get('grant_type') !== TOKEN_EXCHANGE) {
      return refused('unsupported_grant_type', 'grant_type must be that of a token exchange');
    }
    if (form.get('subject_token_type') !== JWT) return refused('invalid_request', 'subject_token_type must be jwt');
    if (form.get('audience') !== POOL) return refused('invalid_target', 'unknown audience');
    if (form.get('subject_token') !== this.#subjectToken) return refused('invalid_grant', 'unknown subject token');
    const body = {
      access_token: this.issue(lifetimeSeconds),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
    };
    return { status: 200, body };
  }

  /**
   * Writes what `GOOGLE_APPLICATION_CREDENTIALS` points to: an external account whose token exchange and project lookup
   * are on the control listener, so that Google's own client libraries never leave this machine. Returns its path.
   */
  async writeCredentials(dir: string, controlUrl: string): Promise<string> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const subject = resolve(join(dir, 'subject-token.txt'));
    const path = resolve(join(dir, 'credentials.json'));
    const credentials = {
      type: 'external_account',
      audience: POOL,
      subject_token_type: JWT,
      token_url: `${controlUrl}/sts/token`,
      cloud_resource_manager_url: `${controlUrl}/v1/projects/`,
      credential_source: { file: subject },
    };
    await writeFile(subject, this.#subjectToken, { mode: 0o600 });
    await writeFile(path, JSON.stringify(credentials, null, 2), { mode: 0o600 });
    return path;
  }
}

function refused(error: string, description: string): ExchangeAnswer {
  return { status: 400, body: { error, error_description: description } };
}
