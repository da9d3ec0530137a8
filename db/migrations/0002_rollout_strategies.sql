CREATE TABLE "gateway_events" (
	"id" text PRIMARY KEY NOT NULL,
	"gateway_id" text NOT NULL,
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"version" integer,
	"kind" text NOT NULL,
	"message" text NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "serving_windows" ADD COLUMN "role" text DEFAULT 'split' NOT NULL;--> statement-breakpoint
ALTER TABLE "serving_windows" ADD COLUMN "cold" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "promotion_decisions" ADD COLUMN "signature" text;--> statement-breakpoint
ALTER TABLE "promotions" ADD COLUMN "escalated_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "rollouts" ADD COLUMN "settled" jsonb;--> statement-breakpoint
ALTER TABLE "rollouts" ADD COLUMN "last_word" jsonb;--> statement-breakpoint
ALTER TABLE "routes" ADD COLUMN "shadows" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "routes" ADD COLUMN "standby" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "routes" ADD COLUMN "overrides" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
CREATE INDEX "gateway_events_newest" ON "gateway_events" USING btree ("environment","model","at");