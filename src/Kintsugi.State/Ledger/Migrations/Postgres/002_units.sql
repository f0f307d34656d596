-- Looks whose large pieces any node may examine. The number rises with each node that begins or takes over the look.
create table kintsugi_state.looks (
    look text primary key, target text not null, fence bigint not null, leader text not null, fingerprint text not null, ground text not null,
    depth text not null, deadline text collate "C", helpers bigint not null
);

-- The pieces: free, in a node's hand, or answered. Who holds one says until when, and by which backend of the patient.
create table kintsugi_state.units (
    look text not null references kintsugi_state.looks, piece text not null, fence bigint not null, check_id text not null, database text not null,
    weight bigint not null, own bigint not null default 0, node text, claim bigint not null default 0, until text collate "C", backend text,
    answer text, at text collate "C", taken bigint not null default 0,
    primary key (look, piece)
);

-- How many units of a run each node has done.
alter table kintsugi_state.runs add column units text;
