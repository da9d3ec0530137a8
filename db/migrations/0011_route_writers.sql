ALTER TABLE "routes" ADD COLUMN "kind" text;--> statement-breakpoint
ALTER TABLE "routes" ADD COLUMN "rollout_id" text;--> statement-breakpoint
ALTER TABLE "routes" ADD COLUMN "actor" text;--> statement-breakpoint
ALTER TABLE "routes" ADD COLUMN "roles" jsonb;