// What people would write instead, to be measured beside the api: `node bench/herd-peers/receipts.ts save|bare`.
import Fastify from 'fastify';
import { DataSource, EntitySchema } from 'typeorm';
import { RecipientReferences } from '#dispatch';
import { Keys } from '#platform';

interface Report {
  readonly items: readonly { readonly ref: string; readonly kind: string }[];
}

const body = {
  type: 'object',
  additionalProperties: false,
  required: ['items'],
  properties: {
    items: {
      type: 'array',
      minItems: 1,
      maxItems: 500,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['ref', 'kind'],
        properties: {
          ref: { type: 'string', minLength: 1, maxLength: 64 },
          kind: { enum: ['received', 'opened', 'outside'] },
        },
      },
    },
  },
};

const Batch = new EntitySchema<{ id: number; alertId: string; size: number }>({
  name: 'batch',
  tableName: 'batches',
  columns: {
    id: { type: 'bigint', primary: true },
    alertId: { name: 'alert_id', type: 'uuid' },
    size: { type: 'smallint' },
  },
});

const Reduced = new EntitySchema<{ alertId: string }>({
  name: 'reduced',
  tableName: 'reduced_engagements',
  columns: { alertId: { name: 'alert_id', type: 'uuid', primary: true } },
});

const Receipt = new EntitySchema<{ batchId: number; index: number; kind: string }>({
  name: 'receipt',
  tableName: 'receipts',
  columns: {
    batchId: { name: 'batch_id', type: 'bigint', primary: true },
    index: { type: 'smallint', primary: true },
    kind: { type: 'text', primary: true },
  },
});

const app = Fastify();
if (process.argv[2] === 'save') {
  const source = await new DataSource({
    type: 'postgres',
    url: process.env['DATABASE_URL'] ?? '',
    entities: [Batch, Reduced, Receipt],
    parseInt8: true,
    extra: { max: 10 },
  }).initialize();
  const [batches, reduced] = [source.getRepository(Batch), source.getRepository(Reduced)];
  const receipts = source.getRepository(Receipt);
  const references = new RecipientReferences(new Keys({ SECRET_KEY: process.env['SECRET_KEY'] ?? '' }));
  app.post<{ Body: Report }>('/v1/receipts', { schema: { body } }, async (request) => {
    let accepted = 0;
    for (const { ref, kind } of request.body.items) {
      const recipient = references.decode(ref);
      const batch = recipient && (await batches.findOneBy({ id: recipient.batchId }));
      if (!batch || recipient.index >= batch.size || (await reduced.existsBy({ alertId: batch.alertId }))) continue;
      await receipts.save(
        (kind === 'opened' ? ['opened', 'received'] : [kind]).map((each) => ({ ...recipient, kind: each })),
      );
      accepted++;
    }
    return { accepted, ignored: request.body.items.length - accepted };
  });
} else {
  app.post<{ Body: Report }>('/v1/receipts', { schema: { body } }, async ({ body: { items } }) => ({
    accepted: items.length,
    ignored: 0,
  }));
}
process.send?.({ url: await app.listen({ port: 0, host: '127.0.0.1' }) });
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
