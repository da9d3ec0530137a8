import { isNull } from 'drizzle-orm';
import { bigint, boolean, index, integer, jsonb, pgTable, text, timestamp, unique } from 'drizzle-orm/pg-core';
import type { Environment } from '../../domain/names.js';
import type { Evidence, PromotionState } from '../../domain/promotion/promotion.js';

/** Decisions to take a version into an environment. */
export const promotions = pgTable(
  'promotions',
  {
    /** The first Temporal run id of the workflow. */
    id: text('id').primaryKey(),
    workflowId: text('workflow_id').notNull(),
    model: text('model').notNull(),
    version: integer('version').notNull(),
    environment: text('environment').$type<Environment>().notNull(),
    requestedBy: text('requested_by').notNull(),
    state: text('state').$type<PromotionState>().notNull(),
    /** The write order of the activity that wrote last: what an earlier one still writes is refused. */
    writeOrder: bigint('turn', { mode: 'number' }).notNull().default(0),
    /** Why it ended so, in words; null while it is open. */
    reason: text('reason'),
    /** Null until the evidence is gathered. */
    evidenceSha256: text('evidence_sha256'),
    evidence: jsonb('evidence').$type<Evidence>(),
    requestedAt: timestamp('requested_at', { withTimezone: true }).notNull().defaultNow(),
    /** Null where no approval is asked for. */
    expiresAt: timestamp('expires_at', { withTimezone: true }),
    remindedAt: timestamp('reminded_at', { withTimezone: true }),
    /** Null until nobody had decided for so long that others were asked too. */
    escalatedAt: timestamp('escalated_at', { withTimezone: true }),
    closedAt: timestamp('closed_at', { withTimezone: true }),
  },
  (table) => [
    index('promotions_newest').on(table.model, table.requestedAt, table.id),
    index('promotions_newest_of_all').on(table.requestedAt, table.id),
    index('promotions_newest_of_environment').on(table.environment, table.requestedAt, table.id),
    index('promotions_version').on(table.model, table.version, table.environment),
    index('promotions_workflow').on(table.workflowId),
    index('promotions_open').on(table.requestedAt, table.id).where(isNull(table.closedAt)),
  ],
);

/** Every decision that was sent, whether it counted or not. */
export const promotionDecisions = pgTable(
  'promotion_decisions',
  {
    promotionId: text('promotion_id')
      .notNull()
      .references(() => promotions.id),
    /** Made by the workflow: its rising count of messages. One row however often the activity runs. */
    sequence: integer('sequence').notNull(),
    actor: text('actor').notNull(),
    decision: text('decision', { enum: ['approve', 'reject', 'withdraw'] }).notNull(),
    /** The actor's roles at that moment; null for the policy's own word and for rows of version 0.1.0. */
    roles: jsonb('roles').$type<string[]>(),
    comment: text('comment').notNull(),
    via: text('via', { enum: ['update', 'signal', 'policy'] }).notNull(),
    /** The evidence that the actor named, or that was last shown. */
    evidenceSha256: text('evidence_sha256'),
    counted: boolean('counted').notNull(),
    selfApproved: boolean('self_approved').notNull().default(false),
    /** The control API's word that this actor decided so; null for what came past it. */
    signature: text('signature'),
    /** Why it did or did not count. */
    reason: text('reason').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull(),
  },
  (table) => [
    unique('promotion_decisions_sequence').on(table.promotionId, table.sequence),
    index('promotion_decisions_promotion').on(table.promotionId),
  ],
);
