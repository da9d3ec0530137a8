DROP INDEX "runs_results";--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "environment" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "sample" jsonb;--> statement-breakpoint
CREATE INDEX "runs_results" ON "runs" USING btree ("model","definition_sha256","started_at") WHERE outcome in ('registered', 'gate-not-passed', 'unchanged') and until is null and sample is null;