CREATE TABLE "compaction_days" (
	"log" text NOT NULL,
	"day" text NOT NULL,
	"found_at" timestamp with time zone NOT NULL,
	CONSTRAINT "compaction_days_log_day_pk" PRIMARY KEY("log","day")
);
