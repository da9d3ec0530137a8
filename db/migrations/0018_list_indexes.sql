DROP INDEX "promotions_newest";--> statement-breakpoint
DROP INDEX "promotions_open";--> statement-breakpoint
DROP INDEX "rollouts_route";--> statement-breakpoint
DROP INDEX "rollouts_newest";--> statement-breakpoint
DROP INDEX "runs_newest";--> statement-breakpoint
CREATE INDEX "partitions_set_aside" ON "partitions" USING btree ("validated_at","model","partition","inputs_sha256") WHERE (state = 'quarantined' or decided_by is not null);--> statement-breakpoint
CREATE INDEX "promotions_newest_of_all" ON "promotions" USING btree ("requested_at","id");--> statement-breakpoint
CREATE INDEX "promotions_newest_of_environment" ON "promotions" USING btree ("environment","requested_at","id");--> statement-breakpoint
CREATE INDEX "promotions_version" ON "promotions" USING btree ("model","version","environment");--> statement-breakpoint
CREATE INDEX "promotions_workflow" ON "promotions" USING btree ("workflow_id");--> statement-breakpoint
CREATE INDEX "rollouts_newest_of_all" ON "rollouts" USING btree ("started_at","id");--> statement-breakpoint
CREATE INDEX "rollouts_newest_of_environment" ON "rollouts" USING btree ("environment","started_at","id");--> statement-breakpoint
CREATE INDEX "runs_newest_of_all" ON "runs" USING btree ("started_at","id");--> statement-breakpoint
CREATE INDEX "promotions_newest" ON "promotions" USING btree ("model","requested_at","id");--> statement-breakpoint
CREATE INDEX "promotions_open" ON "promotions" USING btree ("requested_at","id") WHERE "promotions"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "rollouts_route" ON "rollouts" USING btree ("environment","model","started_at","id");--> statement-breakpoint
CREATE INDEX "rollouts_newest" ON "rollouts" USING btree ("model","started_at","id");--> statement-breakpoint
CREATE INDEX "runs_newest" ON "runs" USING btree ("model","started_at","id");