CREATE TABLE "champion_records" (
	"environment" text NOT NULL,
	"model" text NOT NULL,
	"epoch" integer NOT NULL,
	"record" jsonb NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "champion_records_environment_model_pk" PRIMARY KEY("environment","model")
);
