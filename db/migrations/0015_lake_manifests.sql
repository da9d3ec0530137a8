CREATE TABLE "lake_places" (
	"prefix" text PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"table_name" text NOT NULL,
	"partition" text,
	"generation" integer NOT NULL,
	"files" jsonb,
	"actor" text NOT NULL,
	"reason" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "lake_uncounted" (
	"key" text PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"prefix" text NOT NULL,
	"why" text NOT NULL,
	"etag" text,
	"modified_at" text,
	"since" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
DROP INDEX "lake_changes_open";--> statement-breakpoint
ALTER TABLE "lake_changes" ADD COLUMN "generation" integer;--> statement-breakpoint
ALTER TABLE "lake_changes" ADD COLUMN "keys" text[];--> statement-breakpoint
CREATE INDEX "lake_places_newest" ON "lake_places" USING btree ("model","table_name","partition");--> statement-breakpoint
CREATE INDEX "lake_uncounted_of_model" ON "lake_uncounted" USING btree ("model","prefix");--> statement-breakpoint
CREATE INDEX "lake_uncounted_oldest" ON "lake_uncounted" USING btree ("since");--> statement-breakpoint
CREATE INDEX "runs_results" ON "runs" USING btree ("model","definition_sha256","started_at") WHERE outcome in ('registered', 'gate-not-passed', 'unchanged') and until is null;--> statement-breakpoint
ALTER TABLE "lake_changes" ADD CONSTRAINT "lake_changes_one_a_generation" UNIQUE("prefix","generation");--> statement-breakpoint
INSERT INTO "lake_uncounted" ("key", "model", "prefix", "why")
SELECT DISTINCT "key", "model", "prefix", 'landing' FROM "lake_changes" WHERE "step" = 'landing' AND "key" IS NOT NULL
ON CONFLICT DO NOTHING;--> statement-breakpoint
INSERT INTO "lake_uncounted" ("key", "model", "prefix", "why")
SELECT DISTINCT "left", "model", "prefix", 'superseded' FROM "lake_changes", unnest("replaced") "left" WHERE "step" = 'taking-over'
ON CONFLICT DO NOTHING;--> statement-breakpoint
DELETE FROM "lake_changes" WHERE "step" IN ('landing', 'abandoned');--> statement-breakpoint
UPDATE "lake_changes" SET "keys" = ARRAY["key"] WHERE "key" IS NOT NULL;
