-- Owner: trading (engine). Every order type: legs and a bracket's exits are orders of their own, so a row goes by its
-- order's name; several may come of one record.
alter table trading.orders
  add column stop_price       numeric,
  add column trail            json,
  add column activation_price numeric,
  add column expires_mts      bigint,
  add column reduce_only      boolean not null default false,
  add column post_only        boolean not null default false,
  add column parent           text,
  add column oco              text,
  add column position         text;
alter table trading.orders drop constraint orders_pkey;
alter table trading.orders add primary key (account, order_id);
create index orders_aseq on trading.orders (account, aseq);

-- Netting accounts have one row per symbol (ticket ''), hedging ones one per ticket.
alter table trading.positions
  add column ticket      text not null default '',
  add column position_id text not null default '';
alter table trading.positions drop constraint positions_pkey;
alter table trading.positions add primary key (account, phase, symbol, ticket);

alter table trading.fills add column position_id text not null default '';
