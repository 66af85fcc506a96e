-- Owner: gateway. Requests by day, client and route class; added to in batches, so two processes may write one row.
-- `user_id` is '' for requests without a credential, `key_id` is '' for those without an API key.
create table gateway.usage (
  day          date             not null,
  tenant       text             not null,
  user_id      text             not null,
  key_id       text             not null,
  route_class  text             not null,
  requests     bigint           not null,
  -- answered with 4xx or 5xx, those refused by a limit not among them
  errors       bigint           not null,
  limited      bigint           not null,
  ms_total     double precision not null,
  ms_max       double precision not null,
  -- requests that took at most so many ms, and more than the bound before
  ms_5         bigint           not null,
  ms_25        bigint           not null,
  ms_100       bigint           not null,
  ms_500       bigint           not null,
  ms_2500      bigint           not null,
  ms_more      bigint           not null,
  primary key (day, tenant, user_id, key_id, route_class)
);
create index usage_user on gateway.usage (user_id, day);
