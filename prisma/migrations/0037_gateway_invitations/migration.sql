-- Owner: gateway. Whom an invitation is for is found by the keyed hash of the e-mail; the e-mail itself is sealed.
alter table gateway.invitations rename column email to email_index;
alter table gateway.invitations add column sealed_email text not null;
create index invitations_tenant on gateway.invitations (tenant, id desc);
