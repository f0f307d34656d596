using Kintsugi.Postgres.Operating;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>
/// A way of repairing, with an injury that calls for it: what the tests of kills run through. Every step runner of the product belongs to one.
/// </summary>
/// <param name="Name">In test names.</param>
/// <param name="Kinds">The kinds of steps whose interruption it covers.</param>
/// <param name="Checks">The checks that find the injury, and prove its end.</param>
/// <param name="Prepare">Makes the table <c>ward</c>.</param>
/// <param name="Injure">Run once for every kill; it must do harm again each time.</param>
/// <param name="Took">True when the harm is there.</param>
internal sealed record Mechanism(
    string Name, IReadOnlyList<string> Kinds, IReadOnlyList<string> Checks, string Prepare, string Injure, string Took)
{
    /// <summary>Held in an open transaction it stops the step in its middle; null where the step has no middle.</summary>
    public string? Stall { get; init; }

    public bool NeedsFiles { get; init; }

    private const string Ward = """
        CREATE TABLE ward (id integer PRIMARY KEY, mark integer NOT NULL, body text) WITH (autovacuum_enabled = off);
        INSERT INTO ward SELECT g, g * 7919 % 10007, repeat(md5(g::text), 3) FROM generate_series(1, 3000) g;
        CREATE INDEX ward_body ON ward (body);
        CREATE FUNCTION ward_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
          AS 'SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END';
        CREATE OPERATOR CLASS ward_ops FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=,
          OPERATOR 5 >, FUNCTION 1 ward_compare(integer, integer);
        CREATE INDEX ward_mark ON ward (mark ward_ops)
        """;

    private const string Writers = "LOCK TABLE ward IN ROW EXCLUSIVE MODE";

    public static IReadOnlyList<Mechanism> All { get; } =
    [
        // The order that the index was built with is turned round, as a new version of a library does.
        new("rebuild-index", [RebuildIndexStep.Name], ["heap", "btree", "index-state"], Ward, """
            DO $$
            BEGIN
              IF ward_compare(1, 2) < 0 THEN
                CREATE OR REPLACE FUNCTION ward_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
                  AS 'SELECT CASE WHEN $1 < $2 THEN 1 WHEN $1 > $2 THEN -1 ELSE 0 END';
              ELSE
                CREATE OR REPLACE FUNCTION ward_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
                  AS 'SELECT CASE WHEN $1 < $2 THEN -1 WHEN $1 > $2 THEN 1 ELSE 0 END';
              END IF;
            END $$
            """, "SELECT true") { Stall = Writers },
        new("drop-index", [DropIndexStep.Name], ["index-state"], Ward, """
            CREATE INDEX ward_body_ccnew ON ward (body);
            UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ward_body_ccnew'::regclass
            """, "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'ward_body_ccnew'::regclass") { Stall = Writers },
    ];

    public static Mechanism Named(string name) => All.Single(mechanism => mechanism.Name == name);
}
