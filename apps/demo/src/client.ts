import type { SignIn } from './staff.ts';

/** An answer the night did not expect. */
class UnexpectedAnswer extends Error {}

/** Speaks to the api as an officer's or a phone's program would. */
export class Client {
  constructor(
    private readonly url: string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  /** A client of a signed-in officer. */
  async signIn({ login, password }: SignIn): Promise<Client> {
    const answer = await this.request('POST', '/v1/session', { login, password });
    const cookie = answer.headers.getSetCookie()[0]?.split(';', 1)[0];
    if (!answer.ok || !cookie) throw new UnexpectedAnswer(`${login} could not sign in: ${answer.status}`);
    return new Client(this.url, { cookie });
  }

  as(bearer: string): Client {
    return new Client(this.url, { authorization: `Bearer ${bearer}` });
  }

  /** @throws UnexpectedAnswer for anything but success, with what the api said. */
  async call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.request(method, path, body);
    const said = await answer.text();
    if (!answer.ok) throw new UnexpectedAnswer(`${method} ${path} was answered ${answer.status}: ${said}`);
    return (said ? JSON.parse(said) : undefined) as Body;
  }

  /** The code of a refusal that is expected; null when it was not refused. */
  async refusal(method: string, path: string, body?: unknown): Promise<string | null> {
    const answer = await this.request(method, path, body);
    if (answer.ok) return null;
    return ((await answer.json()) as { code: string }).code;
  }

  private request(method: string, path: string, body: unknown): Promise<Response> {
    const form = body instanceof FormData;
    const headers = body === undefined || form ? this.headers : { ...this.headers, 'content-type': 'application/json' };
    const payload = body === undefined ? null : form ? body : JSON.stringify(body);
    return fetch(new URL(path, this.url), { method, headers, body: payload });
  }
}
