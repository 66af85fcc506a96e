-- Owner: gateway. When a password was drawn by the platform and told to its user, who has chosen no other one yet.
alter table gateway.accounts add column drawn_at timestamptz;

-- Not read since 0031: the plan is the tenant's.
alter table gateway.users drop column plan;
