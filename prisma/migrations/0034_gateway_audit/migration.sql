-- Owner: gateway. The audit log: a chain per tenant. `hash` is SHA-256 over the text of `prev` followed by the canonical
-- JSON (RFC 8785) of action, actor, at, detail, id, seq, tenant. Rows are added, never changed or deleted.
create table gateway.audit (
  tenant text        not null,
  seq    bigint      not null check (seq > 0),
  -- of the event that told it
  id     uuid        not null unique,
  -- whole milliseconds, as hashed
  at     timestamptz not null,
  action text        not null,
  actor  text        not null,
  -- canonical JSON, as hashed
  detail text        not null,
  prev   text        not null,
  hash   text        not null,
  primary key (tenant, seq)
);
create index audit_at on gateway.audit (at desc, id desc);
create index audit_tenant_at on gateway.audit (tenant, at desc, id desc);
create index audit_actor on gateway.audit (actor, at desc, id desc);
create index audit_action on gateway.audit (tenant, action, at desc, id desc);

-- Where each chain ends; locked while a row is added. checked_seq: what a signed checkpoint holds.
create table gateway.audit_head (
  tenant      text   primary key,
  seq         bigint not null,
  hash        text   not null,
  checked_seq bigint not null default 0
);

-- The signed checkpoints that were written to the blobs, each with the hash of its text.
create table gateway.audit_checkpoint (
  number bigint      primary key,
  at     timestamptz not null,
  name   text        not null unique,
  hash   text        not null
);

revoke update, delete, truncate on gateway.audit, gateway.audit_checkpoint from gateway;
create function gateway.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = '23514', constraint = tg_table_name || '_append_only';
end $$;
create trigger audit_append_only before update or delete or truncate on gateway.audit
  for each statement execute function gateway.refuse_change();
create trigger audit_checkpoint_append_only before update or delete or truncate on gateway.audit_checkpoint
  for each statement execute function gateway.refuse_change();
