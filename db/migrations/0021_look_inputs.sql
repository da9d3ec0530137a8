CREATE TABLE "look_inputs" (
	"rollout_id" text NOT NULL,
	"look" integer NOT NULL,
	"inputs" jsonb NOT NULL,
	CONSTRAINT "look_inputs_rollout_id_look_pk" PRIMARY KEY("rollout_id","look")
);
--> statement-breakpoint
ALTER TABLE "rollouts" ADD COLUMN "looks_thinned_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "rollouts_looks_whole" ON "rollouts" USING btree ("finished_at") WHERE finished_at is not null and looks_thinned_at is null;--> statement-breakpoint
INSERT INTO "look_inputs" SELECT "rollout_id", "look", "inputs" FROM "rollout_looks";--> statement-breakpoint
ALTER TABLE "rollout_looks" DROP COLUMN "inputs";--> statement-breakpoint
-- Writes the table anew: a column that is dropped leaves its bytes behind.
ALTER TABLE "rollout_looks" ALTER COLUMN "look" SET DATA TYPE integer USING "look" + 0;