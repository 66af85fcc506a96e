-- Owner: trading (proof). Assessments whose whole proof lies in the blobs: the log need not be kept for them.
create table trading.proof (
  account text primary key,
  -- end of the chain that it holds
  hash    text not null,
  bytes   bigint not null,
  kept_at timestamptz not null default now()
);
create index journal_sealed on trading.journal (account) where kind = 'sealed';
