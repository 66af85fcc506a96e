/** Every environment variable the platform knows: `.env.example` and `assay doctor` are made from this list. */
export interface Variable {
  name: string
  /** as a person would write it; absent: unset */
  default?: string
  about: string
  /** never shown by doctor or a log */
  secret?: boolean
  /** chooses something this release does not bring: a set value stops the start instead of being ignored */
  later?: boolean
}
const PLATFORM: readonly Variable[] = [
  {
    name: 'NODE_ENV',
    default: 'development',
    about: 'development | test | production. Production refuses unsafe values.',
  },
  { name: 'PORT', default: '8000', about: 'Port of the platform, or of a service without a variable of its own.' },
  { name: 'API_GATEWAY_PORT', default: '8000', about: 'Port of gateway when it runs alone.' },
  { name: 'DATA_BRIDGE_PORT', default: '8001', about: 'Port of market-data when it runs alone.' },
  { name: 'ASSAY_HOST', default: '127.0.0.1', about: 'Address to listen on; 0.0.0.0 for every network.' },
  { name: 'ASSAY_HOME', default: './.assay', about: 'Data folder of the embedded platform.' },
  {
    name: 'ASSAY_FAILPOINTS',
    about:
      'Kill tests only: FILE:MS:NAME[,NAME], points that note themselves in FILE (%p: the process id) and wait MS ms. Refused in production.',
  },
  { name: 'LOG_LEVEL', default: 'info', about: 'trace | debug | info | warn | error | silent' },
  { name: 'LOG_FORMAT', about: 'json | text; unset: text on a terminal, else json.' },
  { name: 'CORS_ORIGINS', about: 'Comma-separated origins that browsers may call from; none unless set.' },
  { name: 'FORCE_HTTPS', about: 'true | false; unset: true in production. 308 to https, HSTS.' },
  {
    name: 'PUBLIC_URL',
    about:
      'Where people and clients reach the platform, as https://assay.example: issuer of OAuth, links in mails. Unset: the loopback address asked, outside production only.',
  },
  {
    name: 'TRUSTED_PROXIES',
    about: 'Comma-separated addresses or CIDR ranges whose X-Forwarded-* headers are believed.',
  },
  { name: 'HTTPS_CERT_FILE', about: 'PEM of the certificate chain of the public port, which then speaks TLS;' },
  { name: 'HTTPS_KEY_FILE', about: 'PEM of its private key. A renewed pair is taken within 5 s.' },
  { name: 'HTTPS_REDIRECT_PORT', about: 'A plain port beside it that sends everybody there by a 308; unset: none.' },
  {
    name: 'ADDRESS_ALLOW',
    about: 'Comma-separated addresses or CIDR ranges: who alone is let in. Probes of health are answered to all.',
  },
  {
    name: 'ADDRESS_DENY',
    about: 'Comma-separated addresses or CIDR ranges that are kept out; it goes before ADDRESS_ALLOW.',
  },
  {
    name: 'ENCRYPTION_KEY',
    secret: true,
    about:
      '32 bytes in base64 or hex; wraps the secrets file. Made at the first start in development, required in production.',
  },
  {
    name: 'MARKET_LOG_MAX_BYTES',
    default: '20 GiB',
    about: 'Market log kept at most; the oldest segments that no proof needs go first.',
  },
  {
    name: 'FEEDS',
    default: 'sim',
    about: 'sim, or replay:<file>[?speed=1|10x|max|lockstep&symbol=…&columns=…&zone=…&candle-time=open|close].',
  },
  { name: 'SIM_SEED', default: 'assay', about: 'The same seed, the same simulated market.' },
  { name: 'SIM_TICK_MS', default: '500', about: 'Time between two steps of the simulated market.' },
]
/** Services as processes of their own: `up --distributed` sets them for each process. */
const PEERS: readonly Variable[] = [
  {
    name: 'ASSAY_PEERS',
    about:
      'Where the other services are: https://127.0.0.1:{port}, https://{service}:{port}. Unset: all in one process.',
  },
  { name: 'ASSAY_BASE_PORT', default: '8000', about: 'First port of the port table; the other services follow.' },
  { name: 'ASSAY_REPLICAS', about: 'trading=3,websocket=2: processes of a service; replica k is at its port + 100 k.' },
  { name: 'ASSAY_INSTANCE', about: 'Name of this process, another one for each; unset: service and host.' },
  { name: 'ASSAY_PEER_URL', about: 'Where other services reach this process; unset: ASSAY_PEERS with its own port.' },
  { name: 'TLS_CA_FILE', about: 'PEM of the CA of all services: mutual TLS between them.' },
  { name: 'TLS_CERT_FILE', about: 'PEM of this service: a certificate for <service>.assay.internal.' },
  { name: 'TLS_KEY_FILE', about: 'PEM of its private key. A renewed pair is taken within 5 s.' },
]
const DATABASE: readonly Variable[] = [
  {
    name: 'DATABASE_URL',
    secret: true,
    about:
      'postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=FILE. Unset: PGlite in ASSAY_HOME.',
  },
  {
    name: 'DATABASE_POOL_SIZE',
    default: '4',
    about: 'Connections of one process to the database, for each role it acts as.',
  },
  {
    name: 'SUPABASE_URL',
    about: 'A Supabase project, whose database is DATABASE_URL: its direct connection or session pooler, port 5432.',
  },
  {
    name: 'SUPABASE_SERVICE_ROLE_KEY',
    secret: true,
    about: "Opens the project's REST interface, which is not used here; the database wants DATABASE_URL.",
  },
]
/** Cache, limits, secrets and blobs on servers. */
const STORES: readonly Variable[] = [
  {
    name: 'ASSAY_PLAIN_SERVERS',
    about:
      'true: in production too, PostgreSQL, Redis, Kafka, Vault and S3 on other machines may be plain or unverified: in a network that nobody else is in.',
  },
  {
    name: 'REDIS_URL',
    secret: true,
    about: 'redis://[user:password@]host:port, rediss:// for TLS: cache and limits of all replicas. Unset: memory.',
  },
  { name: 'REDIS_HOST', about: 'The same in parts: host,' },
  { name: 'REDIS_PORT', default: '6379', about: 'port,' },
  { name: 'REDIS_PASSWORD', secret: true, about: 'password.' },
  { name: 'REDIS_CA_FILE', about: "PEM of the authority of Redis's certificate; unset: those of the system." },
  { name: 'VAULT_ADDR', about: 'https://host:8200 of Vault or OpenBao. Unset: the encrypted secrets file.' },
  { name: 'VAULT_ROLE_ID', about: "The service's AppRole, made by ./assay vault setup." },
  { name: 'VAULT_SECRET_ID', secret: true, about: 'Its secret id.' },
  { name: 'VAULT_KUBERNETES_ROLE', about: "Login by the pod's service account, instead of an AppRole." },
  { name: 'VAULT_TOKEN', secret: true, about: 'A plain token instead; a root token is refused in production.' },
  {
    name: 'VAULT_DATABASE_ROLE',
    about: "postgres-role: database logins are issued by the secrets server and act as DATABASE_URL's user.",
  },
  { name: 'VAULT_CACERT', about: "PEM of the authority of Vault's certificate." },
  {
    name: 'PAYMENTS',
    about: 'test: in production too, the provider for tests pays for tiers. Unset: there nothing that costs is sold.',
  },
  { name: 'S3_BUCKET', about: 'Bucket of the blobs. Unset: a folder in ASSAY_HOME.' },
  { name: 'S3_ENDPOINT', about: 'URL of an S3-compatible server; unset: Amazon S3.' },
  { name: 'S3_REGION', default: 'us-east-1', about: 'Region of the bucket: signatures carry it.' },
  { name: 'S3_ACCESS_KEY_ID', about: 'Key of the bucket,' },
  { name: 'S3_SECRET_ACCESS_KEY', secret: true, about: 'and its secret.' },
]
const KAFKA: readonly Variable[] = [
  { name: 'KAFKA_BROKERS', about: 'host:port of some brokers, comma-separated: bus and market log. Unset: embedded.' },
  { name: 'KAFKA_CLIENT_ID', default: 'assay', about: 'How this installation calls itself to the brokers.' },
  { name: 'KAFKA_TOPIC_PREFIX', about: 'Before every topic and group, such as staging. (with its dot).' },
  { name: 'KAFKA_TLS', about: 'true: TLS to the brokers.' },
  {
    name: 'KAFKA_TLS_CA_FILE',
    about: "PEM of the authority of the brokers' certificates; unset: those of the system.",
  },
  { name: 'KAFKA_TLS_CERT_FILE', about: 'PEM of a client certificate, where the brokers want one,' },
  { name: 'KAFKA_TLS_KEY_FILE', about: 'and of its private key.' },
  { name: 'KAFKA_SASL_MECHANISM', about: 'scram-sha-512 | scram-sha-256 | plain; aws-msk-iam is not brought.' },
  { name: 'KAFKA_SASL_USERNAME', about: 'User of the brokers,' },
  { name: 'KAFKA_SASL_PASSWORD', secret: true, about: 'and its password.' },
]
const IDENTITY: readonly Variable[] = [
  { name: 'SESSION_TIMEOUT_MINUTES', default: '30', about: 'A session ends after this long without a refresh.' },
  {
    name: 'ASSAY_REQUIRE_MFA',
    default: 'false',
    about: 'true: every operator and admin needs a second factor; else where the tenant asks for it.',
  },
  {
    name: 'BOT_CONTROL_PIN',
    secret: true,
    about: "6 digits: an operator's login for bot control. Unset: there is none.",
  },
  { name: 'BOT_CONTROL_ACCOUNT', about: 'E-mail of the operator whose PIN it is; unset: ASSAY_OPERATOR_EMAIL.' },
  {
    name: 'BOT_CONTROL_ADDRESSES',
    about: 'Comma-separated addresses or CIDR ranges where the PIN needs no enrolled device; none unless set.',
  },
  { name: 'RATE_LIMIT_ENABLED', default: 'true', about: 'false is refused in production.' },
  { name: 'RATE_LIMIT_PER_MINUTE', default: '60', about: 'Requests of every client, for each route class.' },
  { name: 'RATE_LIMIT_PER_HOUR', default: '50', about: 'Anonymous reads of one address.' },
  { name: 'RATE_LIMIT_PER_DAY', default: '200', about: 'Anonymous reads of one address.' },
  { name: 'ASSAY_OPERATOR_EMAIL', default: 'operator@assay.example', about: 'The operator made at the first start.' },
  {
    name: 'ASSAY_OPERATOR_PASSWORD',
    secret: true,
    about:
      'Its password, or the hash that POST /api/auth/hash-password gave; unset: drawn, printed once, and to be changed at the first login.',
  },
  {
    name: 'PASSWORD_PEPPER',
    default: 'false',
    about: 'true: password hashes depend on a key of the secrets port too; old ones are made anew at their next login.',
  },
]
const MAIL: readonly Variable[] = [
  {
    name: 'SMTP_URL',
    secret: true,
    about: 'smtp://user:password@host:587 (STARTTLS), smtps://… (TLS). Unset: letters are files in ASSAY_HOME/mail.',
  },
  { name: 'SMTP_CA_FILE', about: "PEM of the authority of the mail server's certificate; unset: those of the system." },
  { name: 'MAIL_FROM', default: 'Assay <assay@localhost>', about: 'Sender of all letters; required with SMTP_URL.' },
]
const later = (name: string, about: string, secret = false): Variable => ({
  name,
  about,
  later: true,
  ...(secret ? { secret } : {}),
})
/** Variables of parts that are not in this release. */
const LATER: readonly Variable[] = [
  later('CLICKHOUSE_URL', 'ClickHouse for ticks.', true),
  later('WEAVIATE_URL', 'Vector store.'),
  later('ARANGODB_URL', 'Graph store.', true),
  later('STRIPE_SECRET_KEY', 'Stripe instead of the test provider.', true),
]
export const VARIABLES: readonly Variable[] = [
  ...PLATFORM,
  ...PEERS,
  ...DATABASE,
  ...STORES,
  ...KAFKA,
  ...IDENTITY,
  ...MAIL,
  ...LATER,
]

/** Other names that are accepted, with a notice. */
export const ALIASES: Readonly<Record<string, string>> = {
  FLASK_ENV: 'NODE_ENV',
  POSTGRES_URL: 'DATABASE_URL',
  DRAGONFLYDB_URL: 'REDIS_URL',
}
/** Names of the original documents that something else replaced on purpose. */
export const REPLACED: Readonly<Record<string, string>> = {
  JWT_SECRET: 'EdDSA keys kept by the secrets port',
  JWT_SECRET_KEY: 'EdDSA keys kept by the secrets port',
  FLASK_SECRET_KEY: 'EdDSA keys kept by the secrets port',
}
