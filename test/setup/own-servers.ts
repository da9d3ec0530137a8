const ownServerVariables = [
  'PERDURE_DATABASE_URL',
  'PERDURE_MIGRATION_DATABASE_URL',
  'PERDURE_S3_ENDPOINT',
  'PERDURE_S3_BUCKET',
  'PERDURE_HOME',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'TEMPORAL_CONFIG_FILE',
  'TEMPORAL_PROFILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'PERDURE_FLOORS_FILE',
  'PERDURE_DECISION_TRUST',
  'PERDURE_SIGNING_KEY_FILE',
  'PERDURE_VERIFYING_KEYS_FILE',
];

/** Tests write and kill: they use a person's own servers only when asked to by PERDURE_TEST_EXTERNAL=1. */
export function withoutOwnServers(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (environment.PERDURE_TEST_EXTERNAL === '1') return environment;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ownServerVariables.includes(name)));
}
