-- Owner: access. Row security behind the tenant predicate. A service asks for a caller as `<service>_tenant`, with the
-- caller's tenant in `assay.tenant` for one transaction (Db.forTenant): other tenants' rows are not there for it, whatever
-- its query forgets, and without a tenant no rows are. The service itself, the engine of trading too, acts as `<service>`,
-- which a policy lets see all: nobody needs to be a superuser or to bypass row security.
do $$
declare narrowed text;
begin
  foreach narrowed in array array['gateway_tenant', 'trading_tenant'] loop
    if not exists (select from pg_roles where rolname = narrowed) then
      execute format('create role %I nologin', narrowed);
    end if;
  end loop;
end $$;

grant usage on schema bus, trading to trading_tenant;
grant insert on bus.outbox to trading_tenant;
-- Requests read what the engine wrote, and write what is theirs to write.
grant select on all tables in schema trading to trading_tenant;
grant insert, update on trading.purchase, trading.tier, trading.proof to trading_tenant;
grant insert on trading.assessment, trading.document, trading.tier_version, trading.calendar to trading_tenant;
grant insert, update, delete on trading.idempotency to trading_tenant;
revoke all on trading.slot, trading.owner, trading.ledger_unbalanced from trading_tenant;

-- A tenant's rows name it; an account's belong to the tenant of its assessment.
do $$
declare t text;
begin
  foreach t in array array['account', 'tier', 'tier_version', 'purchase', 'assessment', 'idempotency', 'calendar'] loop
    execute format('alter table trading.%I enable row level security', t);
    execute format('create policy service on trading.%I to trading using (true) with check (true)', t);
    execute format('create policy tenant on trading.%I to trading_tenant using (tenant = (select current_setting(''assay.tenant'', true))) with check (tenant = (select current_setting(''assay.tenant'', true)))', t);
  end loop;
  -- one look into an index for each row; `exists` would have the planner read all of the tenant's assessments
  foreach t in array array['journal', 'orders', 'fills', 'positions', 'violations', 'phases', 'ledger_transaction', 'ledger_entry', 'proof'] loop
    execute format('alter table trading.%I enable row level security', t);
    execute format('create policy service on trading.%I to trading using (true) with check (true)', t);
    execute format('create policy tenant on trading.%I to trading_tenant using ((select tenant from trading.assessment a where a.id = %I.account) is not null) with check ((select tenant from trading.assessment a where a.id = %I.account) is not null)', t, t, t);
  end loop;
end $$;
