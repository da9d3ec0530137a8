CREATE TABLE "lake_changes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "lake_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"model" text NOT NULL,
	"prefix" text NOT NULL,
	"key" text,
	"replaced" text[] NOT NULL,
	"step" text NOT NULL,
	"actor" text NOT NULL,
	"reason" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "lake_changes_newest" ON "lake_changes" USING btree ("model","id");--> statement-breakpoint
CREATE INDEX "lake_changes_open" ON "lake_changes" USING btree ("model","prefix") WHERE step IN ('landing', 'taking-over');