CREATE INDEX "partitions_newest" ON "partitions" USING btree ("model","validated_at");--> statement-breakpoint
CREATE INDEX "promotions_newest" ON "promotions" USING btree ("model","requested_at");--> statement-breakpoint
CREATE INDEX "promotions_open" ON "promotions" USING btree ("requested_at") WHERE "promotions"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "rollouts_newest" ON "rollouts" USING btree ("model","started_at");--> statement-breakpoint
CREATE INDEX "routes_of_model" ON "routes" USING btree ("model");--> statement-breakpoint
CREATE INDEX "runs_newest" ON "runs" USING btree ("model","started_at");