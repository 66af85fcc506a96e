-- Owner: market_data. Beside the leader of a group, who writes its topics from the market log (row `<group> topics`), and
-- how far that has come: the next one goes on there.
alter table market_data.leader add column position bigint;
