// What people would write instead, to be measured beside the api: `node bench/herd-peers/positions.ts save|bare`.
import { createHash } from 'node:crypto';
import Fastify, { type FastifyRequest } from 'fastify';
import { DataSource, EntitySchema } from 'typeorm';
import { cellOf, coarsen, type Datum, toWgs84 } from '#geo';

interface Told {
  readonly place: { readonly lon: number; readonly lat: number; readonly datum: Datum };
}

const body = {
  type: 'object',
  additionalProperties: false,
  required: ['place'],
  properties: {
    place: {
      type: 'object',
      additionalProperties: false,
      required: ['lon', 'lat', 'datum'],
      properties: {
        lon: { type: 'number', minimum: -180, maximum: 180 },
        lat: { type: 'number', minimum: -90, maximum: 90 },
        datum: { enum: ['wgs84', 'gcj02', 'bd09'] },
      },
    },
  },
};

const Device = new EntitySchema<{ id: number; secretHash: Buffer }>({
  name: 'device',
  tableName: 'devices',
  columns: {
    id: { type: 'bigint', primary: true },
    secretHash: { name: 'secret_hash', type: 'bytea' },
  },
});

const Position = new EntitySchema<{ deviceId: number; cell: string; lon: number; lat: number; seenAt: Date }>({
  name: 'position',
  tableName: 'positions',
  columns: {
    deviceId: { name: 'device_id', type: 'bigint', primary: true },
    cell: { type: 'bigint' },
    lon: { type: 'float8' },
    lat: { type: 'float8' },
    seenAt: { name: 'seen_at', type: 'timestamptz' },
  },
});

const secretOf = (request: FastifyRequest) => /^Bearer g72d_(\S+)$/.exec(request.headers.authorization ?? '')?.[1];

const app = Fastify();
if (process.argv[2] === 'save') {
  const source = await new DataSource({
    type: 'postgres',
    url: process.env['DATABASE_URL'] ?? '',
    entities: [Device, Position],
    parseInt8: true,
    extra: { max: 10 },
  }).initialize();
  const [devices, positions] = [source.getRepository(Device), source.getRepository(Position)];
  app.put<{ Body: Told }>('/v1/devices/me/position', { schema: { body } }, async (request, reply) => {
    const secretHash = createHash('sha256')
      .update(secretOf(request) ?? '')
      .digest();
    const device = await devices.findOneBy({ secretHash });
    if (!device) return reply.code(401).send();
    const { lon: x, lat: y, datum } = request.body.place;
    const [lon, lat] = coarsen(toWgs84([x, y], datum));
    const cell = String(cellOf([lon, lat]));
    await positions.save({ deviceId: device.id, cell, lon, lat, seenAt: new Date() });
    return reply.code(204).send();
  });
} else {
  app.put<{ Body: Told }>('/v1/devices/me/position', { schema: { body } }, async (request, reply) =>
    reply.code(secretOf(request) === undefined ? 401 : 204).send(),
  );
}
process.send?.({ url: await app.listen({ port: 0, host: '127.0.0.1' }) });
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
