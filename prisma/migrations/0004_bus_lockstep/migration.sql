-- Owner: bus. Lockstep between processes: how far each slot's owner has applied the market log of a group, and how far
-- each driver is done with it. A slot whose owner is lost is waited for where it stands, until another takes it. Times
-- are the database's.
create table bus.lockstep (
  market_group text        not null,
  kind         text        not null check (kind in ('owner', 'driver')),
  -- an owner's slot, a driver's name
  part         text        not null,
  -- who answers for it; null: nobody does now
  holder       text,
  done         bigint      not null default 0,
  reported_at  timestamptz not null default now(),
  primary key (market_group, kind, part)
) with (fillfactor = 20); -- room for the next versions of its few rows on their page
grant select, insert, update, delete on bus.lockstep to market_data, trading;
