import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AccessModule } from '#access';
import { Audit, AuditModule, type AuditRecord } from '#audit';
import { PlatformModule, Transactions, type UnitOfWork } from '#platform';
import { type Io, settings } from './io.ts';

/**
 * Runs a command with the system's services and closes them after it.
 * @param modules whose services it takes beside those of officers and the audit
 */
export async function withServices<Result>(
  io: Io,
  command: (services: INestApplicationContext) => Promise<Result>,
  modules: readonly (DynamicModule | Type)[] = [],
): Promise<Result> {
  const imports = [PlatformModule.forRoot(settings(io), 'cli'), AccessModule, AuditModule, ...modules];
  const services = await NestFactory.createApplicationContext(
    { module: class CommandLine {}, imports },
    { logger: false, abortOnError: false },
  );
  try {
    return await command(services);
  } finally {
    await services.close();
  }
}

/** An act and its audit entry in one transaction. Whoever has the database's password has no other name here. */
export function act<Result>(
  services: INestApplicationContext,
  work: (unit: UnitOfWork) => Promise<{ result: Result; record: Omit<AuditRecord, 'actor'> }>,
): Promise<Result> {
  return services.get(Transactions).run(async (unit) => {
    const { result, record } = await work(unit);
    await services.get(Audit, { strict: false }).record(unit.tx, { ...record, actor: 'command_line' });
    return result;
  });
}
