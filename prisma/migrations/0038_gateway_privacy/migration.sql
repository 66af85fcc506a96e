-- Owner: gateway. Personal fields of users are sealed under a key of each user's own, wrapped by the secrets port; an
-- e-mail is found by its keyed hash. Without the key nothing of them can be read: erasing a user deletes it.
create table gateway.user_keys (
  user_id    uuid        primary key references gateway.users on delete cascade,
  wrapped    text        not null,
  created_at timestamptz not null default now()
);

alter table gateway.users drop constraint users_email_check;
alter table gateway.users drop constraint users_email_key;
alter table gateway.users add column email_index text;
alter table gateway.users add column erased_at timestamptz;
create unique index users_email_index on gateway.users (email_index);
-- A write that forgets to seal fails. Rows from before are sealed at the next start.
alter table gateway.users add constraint users_sealed check (
  (email = '' or email like 's1.%') and (name = '' or name like 's1.%')
  and (image is null or image like 's1.%') and (pending_email is null or pending_email like 's1.%')) not valid;
