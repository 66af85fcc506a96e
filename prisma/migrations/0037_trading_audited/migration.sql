-- Owner: trading. How far each journal was told to the audit log, by the number of its record.
create table trading.audited (
  account text   primary key,
  aseq    bigint not null
);
revoke all on trading.audited from trading_tenant;
