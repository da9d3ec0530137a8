DROP INDEX "runs_of_schedules";--> statement-breakpoint
DROP INDEX "runs_late";--> statement-breakpoint
CREATE INDEX "runs_of_schedules" ON "runs" USING btree ("model",(case "cause" ->> 'kind' when 'schedule' then "cause" ->> 'id' end),"scheduled_for") WHERE "runs"."scheduled_for" is not null;--> statement-breakpoint
CREATE INDEX "runs_late" ON "runs" USING btree ("model",(case "cause" ->> 'kind' when 'schedule' then "cause" ->> 'id' end),"scheduled_for") WHERE "runs"."started_at" - "runs"."scheduled_for" > interval '60 seconds';