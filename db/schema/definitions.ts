import { jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { ModelDefinition } from '../../domain/model/model-definition.js';

/** One row: which store this is. Routes carry it, since epochs compare only within one store. */
export const stores = pgTable('stores', {
  id: uuid('id').primaryKey().defaultRandom(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

/** Every definition ever applied, by the SHA-256 of its canonical JSON. Never changed. */
export const definitions = pgTable('definitions', {
  sha256: text('sha256').primaryKey(),
  model: text('model').notNull(),
  body: jsonb('body').$type<ModelDefinition>().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

/** The models that are known, each with the definition in force. */
export const models = pgTable('models', {
  name: text('name').primaryKey(),
  definitionSha256: text('definition_sha256')
    .notNull()
    .references(() => definitions.sha256),
  appliedBy: text('applied_by').notNull(),
  appliedAt: timestamp('applied_at', { withTimezone: true }).notNull().defaultNow(),
  /** Null while the model's definition is among the applied ones; set by `apply --prune`. */
  retiredAt: timestamp('retired_at', { withTimezone: true }),
});
