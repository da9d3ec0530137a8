CREATE TABLE "lake_objects" (
	"key" text PRIMARY KEY NOT NULL,
	"etag" text NOT NULL,
	"sha256" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "partitions" (
	"model" text NOT NULL,
	"partition" text NOT NULL,
	"inputs_sha256" text NOT NULL,
	"state" text NOT NULL,
	"report_key" text NOT NULL,
	"summary" text NOT NULL,
	"file_key" text,
	"file_sha256" text,
	"bytes" bigint,
	"rows" integer NOT NULL,
	"positives" integer NOT NULL,
	"profile" jsonb,
	"validated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_by" text,
	"decided_at" timestamp with time zone,
	"comment" text,
	CONSTRAINT "partitions_model_partition_inputs_sha256_pk" PRIMARY KEY("model","partition","inputs_sha256")
);
--> statement-breakpoint
CREATE TABLE "snapshots" (
	"sha256" text PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"manifest_key" text NOT NULL,
	"manifest" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "watermarks" (
	"model" text PRIMARY KEY NOT NULL,
	"partition" text NOT NULL,
	"run_id" text NOT NULL,
	"moved_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "definitions" (
	"sha256" text PRIMARY KEY NOT NULL,
	"model" text NOT NULL,
	"body" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "models" (
	"name" text PRIMARY KEY NOT NULL,
	"definition_sha256" text NOT NULL,
	"applied_by" text NOT NULL,
	"applied_at" timestamp with time zone DEFAULT now() NOT NULL,
	"retired_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "stores" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "gateway_acknowledgements" (
	"gateway_id" text NOT NULL,
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"store_id" text NOT NULL,
	"epoch" integer NOT NULL,
	"error" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "gateway_acknowledgements_gateway_id_environment_model_pk" PRIMARY KEY("gateway_id","environment","model")
);
--> statement-breakpoint
CREATE TABLE "gateways" (
	"id" text PRIMARY KEY NOT NULL,
	"environment" text NOT NULL,
	"url" text NOT NULL,
	"boot_id" text NOT NULL,
	"heartbeat_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "serving_windows" (
	"id" text PRIMARY KEY NOT NULL,
	"gateway_id" text NOT NULL,
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"epoch" integer NOT NULL,
	"from" timestamp with time zone NOT NULL,
	"to" timestamp with time zone NOT NULL,
	"requests" integer NOT NULL,
	"errors" integer NOT NULL,
	"latency" jsonb NOT NULL,
	"scores" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "promotion_decisions" (
	"promotion_id" text NOT NULL,
	"sequence" integer NOT NULL,
	"actor" text NOT NULL,
	"decision" text NOT NULL,
	"comment" text NOT NULL,
	"via" text NOT NULL,
	"evidence_sha256" text,
	"counted" boolean NOT NULL,
	"self_approved" boolean DEFAULT false NOT NULL,
	"reason" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "promotion_decisions_sequence" UNIQUE("promotion_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "promotions" (
	"id" text PRIMARY KEY NOT NULL,
	"workflow_id" text NOT NULL,
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"environment" text NOT NULL,
	"requested_by" text NOT NULL,
	"state" text NOT NULL,
	"reason" text,
	"evidence_sha256" text,
	"evidence" jsonb,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"reminded_at" timestamp with time zone,
	"closed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"token" bigint NOT NULL,
	"acquired_at" timestamp with time zone DEFAULT now() NOT NULL,
	"released_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "rollout_looks" (
	"rollout_id" text NOT NULL,
	"look" integer NOT NULL,
	"step" integer NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"inputs" jsonb NOT NULL,
	"inputs_sha256" text NOT NULL,
	"result" jsonb NOT NULL,
	CONSTRAINT "rollout_looks_rollout_id_look_pk" PRIMARY KEY("rollout_id","look")
);
--> statement-breakpoint
CREATE TABLE "rollouts" (
	"id" text PRIMARY KEY NOT NULL,
	"workflow_id" text NOT NULL,
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"challenger" integer NOT NULL,
	"champion" integer,
	"promotion_id" text,
	"state" text NOT NULL,
	"step" integer NOT NULL,
	"reason" text,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "routes" (
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"epoch" integer NOT NULL,
	"idempotency_key" text NOT NULL,
	"split" jsonb NOT NULL,
	"reason" text NOT NULL,
	"lease_token" bigint NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "routes_environment_model_epoch_pk" PRIMARY KEY("environment","model","epoch"),
	CONSTRAINT "routes_idempotency_key" UNIQUE("idempotency_key")
);
--> statement-breakpoint
CREATE TABLE "run_steps" (
	"run_id" text NOT NULL,
	"step" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	"summary" text,
	CONSTRAINT "run_steps_run_id_step_pk" PRIMARY KEY("run_id","step")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"workflow_id" text NOT NULL,
	"model" text NOT NULL,
	"definition_sha256" text NOT NULL,
	"cause" jsonb NOT NULL,
	"until" text,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	"outcome" text,
	"reason" text,
	"snapshot_sha256" text,
	"artifact_sha256" text,
	"evaluation_key" text,
	"metrics" jsonb,
	"gates" jsonb
);
--> statement-breakpoint
CREATE TABLE "versions" (
	"model" text NOT NULL,
	"version" integer NOT NULL,
	"run_id" text NOT NULL,
	"definition_sha256" text NOT NULL,
	"snapshot_sha256" text NOT NULL,
	"artifact_sha256" text NOT NULL,
	"artifact_key" text NOT NULL,
	"signature" jsonb NOT NULL,
	"metrics" jsonb NOT NULL,
	"gates" jsonb NOT NULL,
	"evaluation_key" text NOT NULL,
	"lineage" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "versions_model_version_pk" PRIMARY KEY("model","version"),
	CONSTRAINT "versions_one_per_run" UNIQUE("run_id")
);
--> statement-breakpoint
ALTER TABLE "models" ADD CONSTRAINT "models_definition_sha256_definitions_sha256_fk" FOREIGN KEY ("definition_sha256") REFERENCES "public"."definitions"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "promotion_decisions" ADD CONSTRAINT "promotion_decisions_promotion_id_promotions_id_fk" FOREIGN KEY ("promotion_id") REFERENCES "public"."promotions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rollout_looks" ADD CONSTRAINT "rollout_looks_rollout_id_rollouts_id_fk" FOREIGN KEY ("rollout_id") REFERENCES "public"."rollouts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_definition_sha256_definitions_sha256_fk" FOREIGN KEY ("definition_sha256") REFERENCES "public"."definitions"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_snapshot_sha256_snapshots_sha256_fk" FOREIGN KEY ("snapshot_sha256") REFERENCES "public"."snapshots"("sha256") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "versions" ADD CONSTRAINT "versions_model_models_name_fk" FOREIGN KEY ("model") REFERENCES "public"."models"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "versions" ADD CONSTRAINT "versions_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "serving_windows_epoch" ON "serving_windows" USING btree ("environment","model","epoch","version");--> statement-breakpoint
CREATE INDEX "promotion_decisions_promotion" ON "promotion_decisions" USING btree ("promotion_id");--> statement-breakpoint
CREATE INDEX "rollouts_route" ON "rollouts" USING btree ("environment","model");