-- The ledger and the service's books of several nodes. Facts are the truth; everything else can be told from them or be observed again.
-- Times are text (UTC, ISO 8601, seven digits) as in the SQLite ledger, so that one hash holds for both; "C" makes text order time order.
create table kintsugi_state.facts (
    number bigint primary key,
    case_id text not null,
    server text not null,
    kind text not null,
    summary text not null,
    data text not null,
    data_sha256 text not null,
    at text collate "C" not null,
    hash text not null
);
create index facts_by_case on kintsugi_state.facts (case_id, number);
create index facts_by_kind on kintsugi_state.facts (kind, server, number);

create function kintsugi_state.facts_are_append_only() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'facts are append-only';
end
$$;
create trigger facts_are_never_changed before update or delete on kintsugi_state.facts
    for each row execute function kintsugi_state.facts_are_append_only();
create trigger facts_are_never_emptied before truncate on kintsugi_state.facts
    for each statement execute function kintsugi_state.facts_are_append_only();

-- The newest link of the chain: without it, facts cut off at the end would not be missed.
create table kintsugi_state.chain (id bigint primary key check (id = 1), number bigint not null, hash text not null);
insert into kintsugi_state.chain values (1, 0, '');

create table kintsugi_state.cases (
    id text primary key,
    server text not null,
    database text,
    object text not null,
    fault text not null,
    cause text not null,
    state text not null,
    reason text,
    attempts bigint not null,
    snapshot text,
    first_seen text collate "C" not null,
    last_changed text collate "C" not null
);

create table kintsugi_state.proofs (
    server text not null, database text not null, object text not null, check_id text not null, at text collate "C" not null, depth text not null,
    primary key (server, database, object, check_id)
);

create table kintsugi_state.verdicts (
    server text not null, database text not null, object text not null, check_id text not null, at text collate "C" not null, verdict text not null,
    reason text,
    primary key (server, database, object, check_id)
);

create table kintsugi_state.sightings (
    server text not null, finding text not null, check_id text not null, fault text not null, database text not null, relation_schema text,
    relation text, first_seen text collate "C" not null, last_seen text collate "C" not null, scrubs bigint not null,
    primary key (server, finding)
);

create table kintsugi_state.observations (
    server text not null, scope text not null, key text not null, value text not null, at text collate "C" not null,
    primary key (server, scope, key)
);

create table kintsugi_state.counters (
    server text not null, database text not null, at text collate "C" not null, counters text not null,
    primary key (server, database, at)
);

create table kintsugi_state.runs (
    id bigint generated always as identity primary key,
    job text not null, target text not null, argument text not null, state text not null, started text collate "C" not null,
    ended text collate "C", message text, rows bigint not null default 0, node text not null default '', cancelled_by text
);
create index runs_by_job on kintsugi_state.runs (job, target, started);

create table kintsugi_state.schedule (
    job text not null, target text not null, interval bigint not null, next text collate "C", previous text collate "C",
    primary key (job, target)
);

create table kintsugi_state.switches (name text primary key, until text collate "C", because text not null, by text not null, at text collate "C" not null);

create table kintsugi_state.requests (
    id bigint generated always as identity primary key,
    verb text not null, job text not null, target text, argument text, by text not null, at text collate "C" not null
);

create table kintsugi_state.alerts (key text primary key, state text not null, severity text not null, at text collate "C" not null);

create table kintsugi_state.outbox (
    id bigint generated always as identity primary key,
    receiver text not null, body text not null, attempts bigint not null, due text collate "C" not null, at text collate "C" not null, error text
);

-- Which services work here, and who of them holds what until when. The number rises each time that a holder changes.
create table kintsugi_state.nodes (
    name text primary key, configuration text not null, version text not null, started text collate "C" not null, seen text collate "C" not null
);
create table kintsugi_state.leases (
    name text primary key, holder text not null, until text collate "C" not null, fence bigint not null
);

-- Pieces that a look has proven and that has not come to its end: whoever begins it again goes on behind them.
create table kintsugi_state.proven (look text not null, piece text not null, at text collate "C" not null, primary key (look, piece));
