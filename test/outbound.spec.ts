import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Outbound } from '#platform';
import { type Certificate, certificateIn } from '../apps/fcm-simulator/src/certificate.ts';

let dir: string;
let certificate: Certificate;
let server: Server;
let port: number;
let connections: number;
let listener: RequestListener;
const open: Outbound[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'outbound-'));
  certificate = await certificateIn(dir);
});
afterAll(() => rm(dir, { recursive: true }));

/** A server of this machine's own, which nobody outside names by right. */
beforeEach(async () => {
  connections = 0;
  listener = (_request, response) => void response.end('secret of the inside');
  server = createServer(certificate, (request, response) => void listener(request, response));
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  for (const outbound of open.splice(0)) await outbound.onApplicationShutdown();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Names answer what the test says, in its order; the last answer stays. */
function resolver(...answers: string[][]) {
  const asked: string[] = [];
  const lookup: LookupFunction = (name, _options, done) => {
    asked.push(name);
    const addresses = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { asked, lookup };
}

function outbound(allow: string[] = [], lookup?: LookupFunction): Outbound {
  const made = new Outbound({ OUTBOUND_ALLOW: allow, OUTBOUND_CA: certificate.caPath }, lookup);
  open.push(made);
  return made;
}

const PRIVATE = [
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '192.0.2.1',
  '198.18.0.1',
  '::1',
  '::',
  'fe80::1',
  'fd00:ec2::254',
  'ff02::1',
  'fec0::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::a00:1',
  '2002:7f00:1::',
  '2001:0:7f00:1::1',
  '100::1',
];

/** 127.0.0.1 and its kin, as people have written them to get past checks. */
const DISGUISED = [
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://127.1/',
  'https://127.0.0.1./',
  'https://①②⑦.⓪.⓪.①/',
  'https://[::ffff:127.0.0.1]/',
  'https://[0:0:0:0:0:ffff:7f00:0001]/',
  'https://[::1]/',
  'https://0/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/latest/meta-data/',
];

describe('a call to the outside', () => {
  it.each(PRIVATE)('is not made to a name that answers %s', async (address) => {
    const { lookup } = resolver([address]);
    await expect(outbound([], lookup).fetch('https://idp.example/')).rejects.toMatchObject({ code: 'address_barred' });
    expect(connections).toBe(0);
  });

  it('is not made to a name that answers a public and a private address', async () => {
    for (const both of [
      ['93.184.215.14', '127.0.0.1'],
      ['127.0.0.1', '93.184.215.14'],
      ['2606:4700::1111', '::1'],
    ]) {
      const { lookup } = resolver(both);
      await expect(outbound([], lookup).fetch('https://idp.example/')).rejects.toMatchObject({
        code: 'address_barred',
      });
    }
    expect(connections).toBe(0);
  });

  it('is not made to a name that answers nothing', async () => {
    await expect(outbound([], resolver([]).lookup).fetch('https://idp.example/')).rejects.toMatchObject({
      code: 'address_barred',
    });
  });

  it.each(DISGUISED)('is not made to %s', async (url) => {
    const { asked, lookup } = resolver(['93.184.215.14']);
    await expect(outbound([], lookup).fetch(url)).rejects.toMatchObject({ code: 'address_barred' });
    expect(asked).toEqual([]);
    expect(connections).toBe(0);
  });

  it.each([
    'http://idp.example/',
    'file:///etc/passwd',
    'ftp://idp.example/',
    'data:text/plain,x',
    'gopher://idp.example:70/',
    'https://user@idp.example/',
    'https://user:password@idp.example/',
    'https://93.184.215.14@127.0.0.1/',
    'https://idp.example:8443/',
    'https://idp.example:22/',
  ])('is not made to the address %s', async (url) => {
    const { asked, lookup } = resolver(['93.184.215.14']);
    await expect(outbound([], lookup).fetch(url)).rejects.toMatchObject({ code: 'url_barred' });
    expect(asked).toEqual([]);
  });

  it.each(['https://[fe80::1%25eth0]/', 'https://[::1%lo]/', 'https://a b/', 'idp.example'])(
    'needs an address: not %s',
    async (url) => {
      await expect(outbound().fetch(url)).rejects.toThrow('Invalid URL');
    },
  );

  it('connects to the very addresses that were judged: the name is asked once', async () => {
    // The second answer is what a rebinding server would give after the check.
    const { asked, lookup } = resolver(['127.0.0.1'], ['10.0.0.1']);
    const answer = await outbound([`localhost:${port}`], lookup).fetch(`https://localhost:${port}/`);
    expect(await answer.text()).toBe('secret of the inside');
    expect(asked).toEqual(['localhost']);
  });

  it('is refused when a name has become private since', async () => {
    const { asked, lookup } = resolver(['93.184.215.14'], ['127.0.0.1']);
    const out = outbound([], lookup);
    const hurried = out.fetch('https://idp.example/', { signal: AbortSignal.timeout(50) });
    await expect(hurried).rejects.toThrow();
    await expect(out.fetch('https://idp.example/')).rejects.toMatchObject({ code: 'address_barred' });
    expect(asked).toHaveLength(2);
    expect(connections).toBe(0);
  });

  it('may be private and have another port only where OUTBOUND_ALLOW names both', async () => {
    const lookup = resolver(['127.0.0.1']).lookup;
    await expect(outbound([`localhost:${port + 1}`], lookup).fetch(`https://localhost:${port}/`)).rejects.toMatchObject(
      { code: 'url_barred' },
    );
    await expect(outbound([`127.0.0.1:443`], lookup).fetch(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: 'url_barred',
    });
    await expect(outbound([`localhost:${port}`], lookup).fetch(`https://elsewhere:${port}/`)).rejects.toMatchObject({
      code: 'url_barred',
    });
    const answer = await outbound([`127.0.0.1:${port}`]).fetch(`https://127.0.0.1:${port}/`);
    expect(answer.status).toBe(200);
  });

  it('trusts an allowed name on its own port only', async () => {
    const { lookup } = resolver(['127.0.0.1']);
    const out = outbound([`idp.example:${port}`], lookup);
    await expect(out.fetch('https://idp.example/')).rejects.toMatchObject({ code: 'address_barred' });
  });

  it('believes no certificate but those of the system and OUTBOUND_CA', async () => {
    const out = new Outbound({ OUTBOUND_ALLOW: [`127.0.0.1:${port}`], OUTBOUND_CA: undefined });
    open.push(out);
    await expect(out.fetch(`https://127.0.0.1:${port}/`)).rejects.toThrow(/certificate/);
  });

  it('follows no redirect', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      listener = (_request, response) =>
        void response.writeHead(status, { location: 'https://169.254.169.254/latest/meta-data/' }).end();
      const out = outbound([`127.0.0.1:${port}`]);
      await expect(out.fetch(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'redirected' });
    }
  });

  it('takes no answer over its bound, whatever length it names', async () => {
    for (const length of [{}, { 'content-length': `${64 * 1024 * 1024}` }]) {
      listener = (_request, response) => {
        response.writeHead(200, length);
        const pour = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', pour);
        pour();
      };
      const out = outbound([`127.0.0.1:${port}`]);
      await expect(out.fetch(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'answer_too_large' });
    }
  });

  it('ends when its caller says so, even in the midst of an answer', async () => {
    listener = (_request, response) => void response.write('and so on');
    const out = outbound([`127.0.0.1:${port}`]);
    const asked = out.fetch(`https://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(50) });
    await expect(asked).rejects.toThrow();
  });

  it('carries method, headers and body, and gives back status, headers and body', async () => {
    listener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        const said = { method, url, type: headers['content-type'], body: Buffer.concat(chunks).toString() };
        response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] });
        response.end(JSON.stringify(said));
      });
    };
    const out = outbound([`127.0.0.1:${port}`]);
    const form = new URLSearchParams({ grant_type: 'authorization_code' });
    const answer = await out.fetch(new URL(`https://127.0.0.1:${port}/token?x=1`), { method: 'POST', body: form });
    expect(answer.status).toBe(201);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await answer.json()).toEqual({
      method: 'POST',
      url: '/token?x=1',
      type: 'application/x-www-form-urlencoded;charset=UTF-8',
      body: 'grant_type=authorization_code',
    });
  });
});
