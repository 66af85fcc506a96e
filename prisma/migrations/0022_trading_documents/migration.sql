-- Owner: trading (proof). Documents that journals cite, by content hash: canonical JSON, never changed.
create table trading.document (
  hash       text primary key,
  text       text not null,
  created_at timestamptz not null default now()
);
