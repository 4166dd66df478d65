import { randomBytes } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Agencies, Officers, type Role } from '#access';

export interface SignIn {
  readonly login: string;
  readonly password: string;
  readonly name: string;
  readonly roles: readonly Role[];
}

/** Rough ground of the invented agency: the Pearl River Delta east of the river's mouth. */
const JURISDICTION = {
  type: 'Polygon' as const,
  coordinates: [
    [
      [113.7, 22.4],
      [114.7, 22.4],
      [114.7, 23.0],
      [113.7, 23.0],
      [113.7, 22.4],
    ],
  ],
};

const STAFF = [
  // May verify, but never a case of their own: the night tries.
  { login: 'lin.chen', name: '陈琳', roles: ['liaison', 'verifier'] },
  { login: 'jing.wu', name: '吴静', roles: ['verifier'] },
  { login: 'ming.he', name: '何明', roles: ['analyst'] },
] as const;

/** Makes an invented agency with a liaison officer, a verifier and an analyst, with passwords of this night. */
export async function hire(context: INestApplicationContext): Promise<SignIn[]> {
  return context.get(DataSource).transaction(async (tx) => {
    const agencyId = await context.get(Agencies, { strict: false }).create(tx, {
      name: '深圳演示警务中心 (invented)',
      jurisdiction: JURISDICTION,
      zone: 'Asia/Shanghai',
      callNumber: '110',
    });
    const signIns: SignIn[] = [];
    for (const { login, name, roles } of STAFF) {
      const password = randomBytes(12).toString('base64url');
      await context.get(Officers, { strict: false }).create(tx, { agencyId, login, name, password, roles: [...roles] });
      signIns.push({ login, password, name, roles });
    }
    return signIns;
  });
}
