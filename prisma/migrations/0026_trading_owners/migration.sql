-- Owner: trading (engine). The processes that may own slots. Times are the database's; each owner aims at its share of
-- the 64 slots among those that live and do not drain.
create table trading.owner (
  id         text        primary key,
  -- where other trading processes reach it; null: nobody does
  url        text,
  draining   boolean     not null default false,
  expires_at timestamptz not null
);
