-- Owner: access. Row security of the gateway, as 0036 has it for trading. Who somebody is is found among all tenants, by the
-- service itself; what a caller is shown of others is read as `gateway_tenant`: these tables, read only, one tenant's rows.
grant usage on schema gateway to gateway_tenant;
grant select on gateway.users, gateway.tenants, gateway.invitations, gateway.audit, gateway.usage,
  gateway.sessions, gateway.oauth_grants, gateway.devices, gateway.api_keys to gateway_tenant;

do $$
declare t text;
begin
  foreach t in array array['users', 'tenants', 'invitations', 'audit', 'usage', 'sessions', 'oauth_grants', 'devices', 'api_keys'] loop
    execute format('alter table gateway.%I enable row level security', t);
    execute format('create policy service on gateway.%I to gateway using (true) with check (true)', t);
  end loop;
  foreach t in array array['users', 'invitations', 'audit', 'usage'] loop
    execute format('create policy tenant on gateway.%I for select to gateway_tenant using (tenant = (select current_setting(''assay.tenant'', true)))', t);
  end loop;
  foreach t in array array['sessions', 'devices', 'api_keys'] loop
    execute format('create policy tenant on gateway.%I for select to gateway_tenant using ((select tenant from gateway.users u where u.id = %I.user_id) is not null)', t, t);
  end loop;
end $$;
create policy tenant on gateway.tenants for select to gateway_tenant using (id = (select current_setting('assay.tenant', true)));
create policy tenant on gateway.oauth_grants for select to gateway_tenant
  using ((select user_id from gateway.sessions s where s.id = oauth_grants.session_id) is not null);
