ALTER TABLE "lake_changes" DROP COLUMN "key";--> statement-breakpoint
ALTER TABLE "lake_changes" DROP COLUMN "step";