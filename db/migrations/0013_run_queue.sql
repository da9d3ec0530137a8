ALTER TABLE "runs" ADD COLUMN "priority" smallint DEFAULT 3 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "scheduled_for" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "asked_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "admitted_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "runs_waiting" ON "runs" USING btree ("model","priority","started_at") WHERE "runs"."finished_at" is null;--> statement-breakpoint
CREATE INDEX "runs_of_schedules" ON "runs" USING btree ("model","scheduled_for") WHERE "runs"."scheduled_for" is not null;--> statement-breakpoint
-- Runs of before have had their turn where they have ended or hold their model's lease; those that wait keep waiting, in the order of now.
UPDATE "runs" SET "admitted_at" = "started_at" WHERE "finished_at" is not null
  OR "id" IN (SELECT regexp_replace("holder", '^.*\|', '') FROM "leases" WHERE "released_at" is null AND starts_with("name", 'train/'));--> statement-breakpoint
UPDATE "runs" SET "priority" = CASE WHEN "cause" ->> 'kind' = 'backfill' THEN 4 ELSE 2 END
  WHERE "cause" ->> 'kind' IN ('person', 'drift', 'performance', 'backfill');
