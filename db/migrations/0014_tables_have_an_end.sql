-- Sums of counts place by place: histograms of windows are added in SQL.
CREATE OR REPLACE FUNCTION perdure_add_counts(bigint[], bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN $1 IS NULL THEN $2 WHEN $2 IS NULL THEN $1
		ELSE (SELECT array_agg(coalesce(a, 0) + coalesce(b, 0) ORDER BY place) FROM unnest($1, $2) WITH ORDINALITY AS pair (a, b, place)) END $$;--> statement-breakpoint
CREATE OR REPLACE AGGREGATE perdure_sum_counts(bigint[]) (SFUNC = perdure_add_counts, STYPE = bigint[], COMBINEFUNC = perdure_add_counts, PARALLEL = SAFE);--> statement-breakpoint
CREATE FUNCTION perdure_counts_of(jsonb) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(array_agg(value::bigint ORDER BY place), '{}') FROM jsonb_array_elements_text(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE '[]' END) WITH ORDINALITY AS counted (value, place) $$;--> statement-breakpoint
CREATE TABLE "retention_runs" (
	"job" text PRIMARY KEY NOT NULL,
	"ran_at" timestamp with time zone NOT NULL,
	"removed" jsonb NOT NULL,
	"removed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "serving_marks" (
	"source" text PRIMARY KEY NOT NULL,
	"number" bigint NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "serving_rollups" (
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"epoch" integer NOT NULL,
	"role" text DEFAULT 'split' NOT NULL,
	"cold" boolean DEFAULT false NOT NULL,
	"grain" text NOT NULL,
	"bucket" timestamp with time zone NOT NULL,
	"from" timestamp with time zone NOT NULL,
	"to" timestamp with time zone NOT NULL,
	"requests" bigint NOT NULL,
	"errors" bigint NOT NULL,
	"latency" bigint[] NOT NULL,
	"scores" bigint[] NOT NULL,
	CONSTRAINT "serving_rollups_pk" PRIMARY KEY("environment","model","grain","bucket","version","epoch","role","cold")
);
--> statement-breakpoint
CREATE TABLE "serving_totals" (
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"epoch" integer NOT NULL,
	"role" text DEFAULT 'split' NOT NULL,
	"cold" boolean DEFAULT false NOT NULL,
	"from" timestamp with time zone NOT NULL,
	"to" timestamp with time zone NOT NULL,
	"requests" bigint NOT NULL,
	"errors" bigint NOT NULL,
	"latency" bigint[] NOT NULL,
	"scores" bigint[] NOT NULL,
	CONSTRAINT "serving_totals_pk" PRIMARY KEY("environment","model","version","epoch","role","cold")
);
--> statement-breakpoint
CREATE TABLE "current_routes" (
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"epoch" integer NOT NULL,
	"revision" bigint NOT NULL,
	CONSTRAINT "current_routes_environment_model_pk" PRIMARY KEY("environment","model")
);
--> statement-breakpoint
CREATE TABLE "route_revisions" (
	"environment" text PRIMARY KEY NOT NULL,
	"revision" bigint NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "serving_windows" ALTER COLUMN "requests" SET DATA TYPE bigint;--> statement-breakpoint
ALTER TABLE "serving_windows" ALTER COLUMN "errors" SET DATA TYPE bigint;--> statement-breakpoint
ALTER TABLE "serving_windows" ALTER COLUMN "latency" SET DATA TYPE bigint[] USING perdure_counts_of("latency");--> statement-breakpoint
ALTER TABLE "serving_windows" ALTER COLUMN "scores" SET DATA TYPE bigint[] USING perdure_counts_of("scores");--> statement-breakpoint
ALTER TABLE "serving_windows" ADD COLUMN "source" text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE "serving_windows" ADD COLUMN "number" bigint NOT NULL DEFAULT 0;--> statement-breakpoint
ALTER TABLE "serving_windows" ADD COLUMN "received_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "serving_marks_at" ON "serving_marks" USING btree ("at");--> statement-breakpoint
CREATE INDEX "serving_rollups_age" ON "serving_rollups" USING btree ("grain","bucket");--> statement-breakpoint
CREATE INDEX "serving_totals_age" ON "serving_totals" USING btree ("to");--> statement-breakpoint
CREATE INDEX "current_routes_changed" ON "current_routes" USING btree ("environment","revision");--> statement-breakpoint
CREATE INDEX "gateway_events_at" ON "gateway_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "serving_windows_received" ON "serving_windows" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "routes_at_time" ON "routes" USING btree ("environment","model","at","epoch");--> statement-breakpoint
CREATE INDEX "routes_of_rollout" ON "routes" USING btree ("rollout_id");--> statement-breakpoint
DROP FUNCTION perdure_counts_of(jsonb);--> statement-breakpoint
-- Windows counted before are rolled up by the first passes of retention.
UPDATE "serving_windows" SET "source" = regexp_replace("id", '[0-9]{1,15}$', ''), "number" = coalesce(substring("id" from '[0-9]{1,15}$'), '0')::bigint;--> statement-breakpoint
ALTER TABLE "serving_windows" ALTER COLUMN "source" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "serving_windows" ALTER COLUMN "number" DROP DEFAULT;--> statement-breakpoint
INSERT INTO "route_revisions" ("environment", "revision") SELECT DISTINCT "environment", 1 FROM "routes" UNION SELECT DISTINCT "environment", 1 FROM "route_releases";--> statement-breakpoint
INSERT INTO "current_routes" ("environment", "model", "epoch", "revision") SELECT "environment", "model", max("epoch"), 1 FROM "routes" GROUP BY "environment", "model";
