-- Facts are the truth; everything else can be told from them or be observed again.
create table facts (
    number integer primary key autoincrement,
    case_id text not null,
    server text not null,
    kind text not null,
    summary text not null,
    data text not null,
    data_sha256 text not null,
    at text not null,
    hash text not null
) strict;
create index facts_by_case on facts (case_id, number);
create index facts_by_kind on facts (kind, server, number);

create trigger facts_are_never_changed before update on facts
begin
    select raise(abort, 'facts are append-only');
end;
create trigger facts_are_never_deleted before delete on facts
begin
    select raise(abort, 'facts are append-only');
end;

-- The newest link of the chain: without it, facts cut off at the end would not be missed.
create table chain (
    id integer primary key check (id = 1),
    number integer not null,
    hash text not null
) strict;
insert into chain values (1, 0, '');

create table cases (
    id text primary key,
    server text not null,
    database text,
    object text not null,
    fault text not null,
    cause text not null,
    state text not null,
    reason text,
    attempts integer not null,
    snapshot text,
    first_seen text not null,
    last_changed text not null
) strict;

-- When each object was last proven sound, by which check.
create table proofs (
    server text not null,
    database text not null,
    object text not null,
    check_id text not null,
    at text not null,
    depth text not null,
    primary key (server, database, object, check_id)
) strict, without rowid;

-- What the last examination of an object said, whatever it said.
create table verdicts (
    server text not null,
    database text not null,
    object text not null,
    check_id text not null,
    at text not null,
    verdict text not null,
    reason text,
    primary key (server, database, object, check_id)
) strict, without rowid;

create table sightings (
    server text not null,
    finding text not null,
    check_id text not null,
    fault text not null,
    database text not null,
    relation_schema text,
    relation text,
    first_seen text not null,
    last_seen text not null,
    scrubs integer not null,
    primary key (server, finding)
) strict, without rowid;

create table observations (
    server text not null,
    scope text not null,
    key text not null,
    value text not null,
    at text not null,
    primary key (server, scope, key)
) strict, without rowid;

create table counters (
    server text not null,
    database text not null,
    at text not null,
    counters text not null,
    primary key (server, database, at)
) strict, without rowid;
