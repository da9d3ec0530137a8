DROP INDEX "routes_of_rollout";--> statement-breakpoint
CREATE INDEX "rollouts_running" ON "rollouts" USING btree ("environment","model") WHERE "rollouts"."finished_at" is null;--> statement-breakpoint
CREATE INDEX "versions_trained_alike" ON "versions" USING btree ("model","definition_sha256","snapshot_sha256");