-- Owner: gateway. OAuth clients, and what users let them do. A grant is a session of its user: it ends with it.

-- Clients that registered, and metadata documents of clients that name themselves by URL, as last read.
create table gateway.oauth_clients (
  id            text        primary key,
  kind          text        not null check (kind in ('document', 'registered')),
  name          text        not null,
  redirect_uris text[]      not null,
  created_at    timestamptz not null,
  -- a document is read again after this
  fresh_until   timestamptz,
  used_at       timestamptz not null
);
create index oauth_clients_used on gateway.oauth_clients (kind, used_at);

-- Somebody has logged in and looks at the consent page.
create table gateway.oauth_tickets (
  hash         text        primary key,
  session_id   uuid        not null references gateway.sessions (id) on delete cascade,
  browser_hash text        not null,
  request      jsonb       not null,
  expires_at   timestamptz not null
);
create index oauth_tickets_session on gateway.oauth_tickets (session_id);

-- Used codes stay as long as the session they opened: a second use ends it.
create table gateway.oauth_codes (
  hash         text        primary key,
  session_id   uuid        not null references gateway.sessions (id) on delete cascade,
  client_id    text        not null,
  client_name  text        not null,
  redirect_uri text        not null,
  scopes       text[]      not null,
  resource     text        not null,
  challenge    text        not null,
  expires_at   timestamptz not null,
  used_at      timestamptz
);
create index oauth_codes_session on gateway.oauth_codes (session_id);

create table gateway.oauth_grants (
  session_id   uuid        primary key references gateway.sessions (id) on delete cascade,
  client_id    text        not null,
  client_name  text        not null,
  redirect_uri text        not null,
  scopes       text[]      not null,
  resource     text        not null,
  granted_at   timestamptz not null
);
create index oauth_grants_client on gateway.oauth_grants (client_id);
