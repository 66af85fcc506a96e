-- Owner: trading (engine). Only the engine writes these tables; every one but slot and account is a projection of the journal.
create schema if not exists trading;

create table trading.slot (
  slot       integer primary key check (slot between 0 and 63),
  owner      text,
  epoch      bigint not null default 0,
  expires_at timestamptz not null default '-infinity'
);
insert into trading.slot (slot) select generate_series(0, 63);

-- What decides an account, by the hash of its canonical JSON: many share one.
create table trading.spec (
  hash text primary key,
  doc  jsonb not null
);

-- State as of mseq; aseq is the number of the next record, hash the head of the chain, events how many went to the outbox.
create table trading.account (
  account    text primary key,
  tenant     text not null default 'default',
  slot       integer not null,
  spec       text not null,
  status     text not null,
  exposed    boolean not null,
  -- canonical JSON of what decides, as it is hashed
  state      json not null,
  mseq       bigint not null,
  mts        bigint not null,
  cseq       bigint not null,
  aseq       bigint not null,
  events     bigint not null,
  deadline   bigint,
  hash       text not null,
  state_hash text not null,
  saved_at   timestamptz not null default now()
) with (fillfactor = 50); -- room for the next version of a row on its page
create index account_slot on trading.account (slot);

-- A record and its hash; beside them, not hashed, its envelope: ids and times that the run made, signatures. The record
-- of a command holds its answer: a repeat gets it again.
create table trading.journal (
  account text not null,
  aseq    bigint not null,
  kind    text not null,
  mseq    bigint not null,
  mts     bigint not null,
  cseq    bigint not null,
  record  text not null,
  hash    text not null,
  wall    timestamptz not null,
  request_id      text,
  command_id      text,
  -- null where the answer did not use it up
  client_order_id text,
  body_hash       text,
  -- the record whose receipt vouches for a command's answer and all it caused
  sealed_aseq     bigint,
  receipt         json,
  primary key (account, aseq)
);
create unique index journal_client_order_id on trading.journal (account, client_order_id) where client_order_id is not null;
create index journal_kind on trading.journal (account, kind, aseq)
  where kind in ('header', 'day', 'floor', 'target', 'verdict', 'checkpoint', 'sealed');

create table trading.orders (
  account         text not null,
  order_id        text not null,
  phase           integer not null,
  client_order_id text,
  symbol          text not null,
  side            text not null,
  type            text not null,
  time_in_force   text not null,
  quantity        numeric not null,
  price           numeric,
  filled          numeric not null,
  status          text not null,
  reason          text,
  aseq            bigint not null,
  mseq            bigint not null,
  mts             bigint not null,
  updated_mts     bigint not null,
  primary key (account, aseq)
);

create table trading.fills (
  account     text not null,
  aseq        bigint not null,
  phase       integer not null,
  order_id    text not null,
  symbol      text not null,
  side        text not null,
  quantity    numeric not null,
  price       numeric not null,
  liquidity   text not null,
  source      json not null,
  instrument  text not null,
  result      json,
  fee         json,
  spread_cost numeric not null,
  mseq        bigint not null,
  mts         bigint not null,
  primary key (account, aseq)
);

-- quantity 0: closed
create table trading.positions (
  account     text not null,
  phase       integer not null,
  symbol      text not null,
  quantity    numeric not null,
  cost        numeric not null,
  opened_mts  bigint not null,
  updated_mts bigint not null,
  aseq        bigint not null,
  primary key (account, phase, symbol)
);

create table trading.violations (
  account        text not null,
  aseq           bigint not null,
  phase          integer not null,
  rule           text not null,
  idx            integer not null,
  effect         text not null,
  value          numeric not null,
  limit_value    numeric not null,
  balance        numeric not null,
  equity         numeric not null,
  crossed        json not null,
  marks          json not null,
  provisional    boolean not null,
  withdrawn_aseq bigint,
  mseq           bigint not null,
  mts            bigint not null,
  primary key (account, aseq)
);

create table trading.phases (
  account         text not null,
  phase           integer not null,
  status          text not null,
  initial_balance numeric,
  opened_aseq     bigint,
  opened_mts      bigint,
  ended_aseq      bigint,
  ended_mts       bigint,
  verdict         text,
  rule            text,
  value           numeric,
  limit_value     numeric,
  balance         numeric,
  equity          numeric,
  primary key (account, phase)
);

create table trading.ledger_transaction (
  account text not null,
  aseq    bigint not null,
  kind    text not null,
  mseq    bigint not null,
  mts     bigint not null,
  primary key (account, aseq)
);
create table trading.ledger_entry (
  account  text not null,
  aseq     bigint not null,
  line     integer not null,
  ledger   text not null,
  currency text not null,
  amount   numeric not null,
  primary key (account, aseq, line)
);

-- The books balance: every transaction sums to 0 in every currency when it commits. Checked per statement as one set;
-- only what does not balance yet is put into ledger_unbalanced, whose deferred constraint looks again at commit.
-- So a balanced statement costs one aggregate and no queue of row triggers.
create table trading.ledger_unbalanced (
  account text not null,
  aseq    bigint not null
);

create function trading.ledger_note_unbalanced() returns trigger language plpgsql set search_path = trading as $$
begin
  -- lines that balance among themselves leave a transaction as balanced as it was
  insert into trading.ledger_unbalanced (account, aseq)
  select distinct account, aseq from (
    select account, aseq from added group by account, aseq, currency having sum(amount) <> 0
  ) as uneven;
  return null;
end $$;
create trigger ledger_entry_added after insert on trading.ledger_entry
  referencing new table as added for each statement execute function trading.ledger_note_unbalanced();

create function trading.ledger_refuse_unbalanced() returns trigger language plpgsql set search_path = trading as $$
begin
  if exists (
    select 1 from trading.ledger_entry where account = new.account and aseq = new.aseq group by currency having sum(amount) <> 0
  ) then
    raise exception 'ledger transaction %/% does not balance', new.account, new.aseq using errcode = '23514', constraint = 'ledger_balanced';
  end if;
  delete from trading.ledger_unbalanced where account = new.account and aseq = new.aseq;
  return null;
end $$;
create constraint trigger ledger_balanced after insert on trading.ledger_unbalanced
  deferrable initially deferred for each row execute function trading.ledger_refuse_unbalanced();

-- Booked is booked.
create function trading.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = '23514', constraint = tg_table_name || '_append_only';
end $$;
create trigger ledger_entry_append_only before update or delete or truncate on trading.ledger_entry
  for each statement execute function trading.refuse_change();
create trigger ledger_transaction_append_only before update or delete or truncate on trading.ledger_transaction
  for each statement execute function trading.refuse_change();
create trigger journal_append_only before update or delete or truncate on trading.journal
  for each statement execute function trading.refuse_change();
