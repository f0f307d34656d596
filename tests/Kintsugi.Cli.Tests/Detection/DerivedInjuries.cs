namespace Kintsugi.Cli.Tests.Detection;

/// <summary>Rows of the catalogs that no longer say what the server took over into them: what is made, what is done to it, and the words of the rule that must tell it.</summary>
internal static class DerivedInjuries
{
    public static IReadOnlyList<(string Make, string Injure, string Told)> All { get; } =
    [
        ("CREATE TABLE d_up (a int PRIMARY KEY); CREATE TABLE d_ref (a int REFERENCES d_up)",
            "UPDATE pg_constraint SET conpfeqop = '{518}' WHERE conrelid = 'd_ref'::regclass AND contype = 'f'", "equality of a btree operator family"),
        ("CREATE TABLE d_excl (a int, b box, EXCLUDE USING gist (b WITH &&))",
            "UPDATE pg_constraint SET conexclop = '{96}' WHERE conrelid = 'd_excl'::regclass AND contype = 'x'", "operators of the operator classes of the index that excludes"),
        ("CREATE TABLE d_check (a int, b int, CHECK (a > 0), CHECK (b < 9))",
            "UPDATE pg_constraint SET conbin = (SELECT conbin FROM pg_constraint WHERE conname = 'd_check_a_check') WHERE conname = 'd_check_b_check'", "the columns that conkey names in the expression"),
        ("CREATE TABLE d_heir_up (a int); CREATE TABLE d_heir () INHERITS (d_heir_up)", "DELETE FROM pg_inherits WHERE inhrelid = 'd_heir'::regclass", "a parent for each column that is inherited"),
        ("CREATE TABLE d_count_up (a int); CREATE TABLE d_count () INHERITS (d_count_up)",
            "UPDATE pg_attribute SET attinhcount = 0, attislocal = true WHERE attrelid = 'd_count'::regclass AND attnum > 0", "attinhcount to count the parents"),
        ("CREATE DOMAIN d_domain AS int", "UPDATE pg_type SET typbasetype = 'text'::regtype WHERE typname = 'd_domain'", "passing of the type under the domain"),
        ("CREATE SEQUENCE d_seq AS int", "UPDATE pg_sequence SET seqtypid = 'int2'::regtype WHERE seqrelid = 'd_seq'::regclass", "a maximum that its type can hold"),
        ("CREATE TABLE d_part (a int) PARTITION BY RANGE (a); CREATE TABLE d_part_1 PARTITION OF d_part FOR VALUES FROM (1) TO (9)",
            "UPDATE pg_partitioned_table SET partstrat = 'l' WHERE partrelid = 'd_part'::regclass", "the strategy that the bounds of its partitions"),
        ("CREATE TYPE d_mood AS ENUM ('a'); CREATE TABLE d_typed (m d_mood)", "DELETE FROM pg_depend WHERE refobjid = 'd_mood'::regtype AND objid = 'd_typed'::regclass",
            "a dependency of each column on its type"),
    ];
}
