namespace Kintsugi.Lab.Damage;

/// <summary>The comparison function under an index changed its order.</summary>
public sealed class SwappedOperatorClass() : SqlInjury(
    "opclass-order-changed",
    "An extension upgrade or an edited function changed the order that an index was built with.",
    Faults.IndexCorrupt, new InjuryTarget("public", "shelves", "shelves_mark_idx"),
    [
        """
        CREATE OR REPLACE FUNCTION shelf_compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
          $$ SELECT CASE WHEN $1 < $2 THEN 1 WHEN $1 > $2 THEN -1 ELSE 0 END $$
        """,
    ],
    "SELECT shelf_compare(1, 2) > 0");
