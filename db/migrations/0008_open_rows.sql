CREATE INDEX "rollouts_open" ON "rollouts" USING btree ("id") WHERE "rollouts"."finished_at" is null;--> statement-breakpoint
CREATE INDEX "rollouts_promotion" ON "rollouts" USING btree ("promotion_id");--> statement-breakpoint
CREATE INDEX "rollouts_awaiting_labels" ON "rollouts" USING btree ("finished_at") WHERE state = 'completed' and last_word is null and settled -> 'policy' ? 'lateLabels' and jsonb_typeof(settled -> 'parties' -> 'champion') = 'number';--> statement-breakpoint
CREATE INDEX "runs_open" ON "runs" USING btree ("id") WHERE "runs"."finished_at" is null;