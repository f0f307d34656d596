namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>One question to a system catalog, the rows of whose answer are what is wrong.</summary>
/// <param name="Id">The stable name of the rule: pg_class.relnamespace, column-missing.</param>
/// <param name="Sql">
/// Answers with: the OID of the relation concerned or 0, the name of the thing, its place (ctid) or null, and the key or words
/// that
/// <paramref name="Say"/> makes a sentence of; a fifth column, where there is one, is the cause that findings share.
/// </param>
/// <param name="Say">Expected and actual, from the name of the thing and the fourth column.</param>
internal sealed record CatalogProbe(string Id, string Catalog, string Sql, Func<string, string, string> Say)
{
    public FaultClass Fault { get; init; } = Faults.CatalogInconsistent;

    /// <summary>What the findings share, from the fourth column: the row that is gone is one cause, however many refer to
    /// it.</summary>
    public Func<string, string>? Cause { get; init; }

    public Severity? Severity { get; init; }

    /// <summary>What a repair needs besides.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();

    /// <summary>The finding names a column of a table, and the thing is its name.</summary>
    public bool ThingIsColumn { get; init; }

    /// <summary>The finding is about the thing, not only about its relation: constraints and triggers of one table are told
    /// apart.</summary>
    public bool ThingIsPlace { get; init; }
}

/// <summary>What a probe found: one row of its answer.</summary>
internal sealed record CatalogRow(uint Relation, string Thing, string? Place, string Words, string? Cause);
