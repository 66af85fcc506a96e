-- Owner: gateway. Tenants with what is theirs, users that can be disabled, invitations, letters on their way to the mail
-- server and the hashes of the tokens they carried.

create table gateway.tenants (
  id              text        primary key,
  name            text        not null,
  -- limits, features and quotas; the claim `plan`
  plan            text        not null default 'standard',
  -- operators and admins need a second factor
  mfa_required    boolean     not null default false,
  -- addresses or CIDR ranges; an empty allow list allows all, denials go before
  allow_addresses text[]      not null default '{}',
  deny_addresses  text[]      not null default '{}',
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);
insert into gateway.tenants (id, name) values ('default', 'House');
insert into gateway.tenants (id, name, plan)
  select tenant, tenant, case when count(distinct plan) = 1 then min(plan) else 'standard' end
    from gateway.users where tenant <> 'default' group by tenant;

-- users.plan is not read any more: the plan is the tenant's.
alter table gateway.users add column disabled_at timestamptz;
-- an e-mail that its owner has not proved yet
alter table gateway.users add column pending_email text;
alter table gateway.users add constraint users_tenant_fk foreign key (tenant) references gateway.tenants (id);
create index users_tenant on gateway.users (tenant, id desc);

create table gateway.invitations (
  id          uuid        primary key,
  tenant      text        not null references gateway.tenants (id),
  email       text        not null,
  role        text        not null check (role in ('trader', 'operator', 'admin', 'bot')),
  invited_by  uuid        references gateway.users (id) on delete set null,
  created_at  timestamptz not null,
  expires_at  timestamptz not null,
  accepted_at timestamptz,
  user_id     uuid        references gateway.users (id) on delete set null
);
create unique index invitations_open on gateway.invitations (tenant, email) where accepted_at is null;
create index invitations_user on gateway.invitations (user_id);
create index invitations_inviter on gateway.invitations (invited_by);

-- Mail to be written and sent: ids and words only. Text and token are made when the letter is sent, so that no secret waits here.
create table gateway.letters (
  id            uuid        primary key,
  kind          text        not null,
  -- null for a forgotten password of nobody, which is sent to nobody
  user_id       uuid        references gateway.users (id) on delete cascade,
  invitation_id uuid        references gateway.invitations (id) on delete cascade,
  data          jsonb       not null default '{}',
  created_at    timestamptz not null,
  -- not worth sending any more
  expires_at    timestamptz not null,
  next_at       timestamptz not null,
  attempts      integer     not null default 0
);
create index letters_next on gateway.letters (next_at);
create index letters_user on gateway.letters (user_id);
create index letters_invitation on gateway.letters (invitation_id);

-- SHA-256 of tokens that letters carried; the first use deletes all of the same user or invitation and purpose.
create table gateway.mail_tokens (
  hash          text        primary key,
  purpose       text        not null check (purpose in ('password_reset', 'email_verify', 'invitation')),
  user_id       uuid        references gateway.users (id) on delete cascade,
  invitation_id uuid        references gateway.invitations (id) on delete cascade,
  -- SHA-256 of token and address: it proves the address it was sent to and no other
  proof         text        not null,
  expires_at    timestamptz not null
);
create index mail_tokens_user on gateway.mail_tokens (user_id);
create index mail_tokens_invitation on gateway.mail_tokens (invitation_id);
