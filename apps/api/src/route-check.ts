import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { AUDIENCES } from '#platform';

/** What of a request may only be read through a schema. */
const PARSED = [RouteParamtypes.BODY, RouteParamtypes.QUERY, RouteParamtypes.PARAM];

type Class = new (...args: never[]) => unknown;
type Handler = (...args: never[]) => unknown;

/** Refuses to start with a route that does not say who may call it, or that reads a body, query or parameter unparsed. */
@Injectable()
export class RouteCheck implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    const faults = this.controllers().flatMap((controller) => this.faultsOf(controller));
    if (faults.length > 0) throw new Error(`Routes are not fit to start:\n  ${faults.join('\n  ')}`);
  }

  private controllers(): Class[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => (metatype ? [metatype as Class] : []));
  }

  private faultsOf(controller: Class): string[] {
    const prototype = controller.prototype as Record<string, Handler>;
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      if (!handler || !Reflect.hasMetadata(PATH_METADATA, handler)) return [];
      const declared = this.reflector.getAllAndOverride<unknown[] | undefined>(AUDIENCES, [handler, controller]);
      const route = `${controller.name}.${name}`;
      return [
        ...(declared?.length ? [] : [`${route} has no audience: @Public(), @ForOfficers(), @ForDevices()…`]),
        ...(readsUnparsed(controller, name) ? [`${route} reads a body, query or parameter without a schema`] : []),
      ];
    });
  }
}

function readsUnparsed(controller: Class, method: string): boolean {
  const read = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) as
    Record<string, { readonly schema?: unknown }> | undefined;
  // Keys are `<type>:<index>`; those of custom decorators begin with a random id instead.
  return Object.entries(read ?? {}).some(
    ([key, { schema }]) => schema === undefined && PARSED.some((type) => key.startsWith(`${type}:`)),
  );
}
