CREATE TABLE "rollout_steering" (
	"id" text PRIMARY KEY NOT NULL,
	"rollout_id" text NOT NULL,
	"command" text NOT NULL,
	"actor" text NOT NULL,
	"roles" jsonb,
	"reason" text NOT NULL,
	"via" text NOT NULL,
	"stage" integer NOT NULL,
	"accepted" boolean NOT NULL,
	"answer" text NOT NULL,
	"signature" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "rollout_steering_rollout" ON "rollout_steering" USING btree ("rollout_id","at");--> statement-breakpoint
CREATE INDEX "rollout_steering_signature" ON "rollout_steering" USING btree ("signature");