using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>A reference between two tables, declared or the owner's, with its comparison as the server itself makes it.</summary>
internal sealed record ForeignKey
{
    public required string Name { get; init; }
    public required Relation Child { get; init; }
    public required Relation Parent { get; init; }

    /// <summary>The tables that hold the parent's rows: itself, or its partitions.</summary>
    public required IReadOnlyList<Relation> ParentHeaps { get; init; }

    /// <summary>The unique index that the parent's key rests on; null for the owner's rules.</summary>
    public Relation? ParentIndex { get; init; }

    /// <summary>The partitioned table that the child belongs to, or the child.</summary>
    public required Relation Root { get; init; }
    public required IReadOnlyList<string> Columns { get; init; }
    public required IReadOnlyList<string> ParentColumns { get; init; }

    /// <summary>OPERATOR(schema.op), the parent's column on the left (pg_constraint.conpfeqop).</summary>
    public required IReadOnlyList<string> Operators { get; init; }

    /// <summary>Casts of the operands, as ::type, empty where none is wanted.</summary>
    public required IReadOnlyList<string> ParentCasts { get; init; }
    public required IReadOnlyList<string> Casts { get; init; }

    /// <summary>The collation of the comparison, quoted: the parent column's; empty where the type has none.</summary>
    public required IReadOnlyList<string> Collations { get; init; }

    /// <summary>s simple, f full (pg_constraint.confmatchtype).</summary>
    public char Match { get; init; } = 's';

    /// <summary>a no action, r restrict, c cascade, n set null, d set default (pg_constraint.confdeltype).</summary>
    public char OnDelete { get; init; } = 'a';

    /// <summary>The last pair is a range that must be covered (PERIOD, 18+).</summary>
    public bool Period { get; init; }
    public bool Validated { get; init; } = true;
    public bool Enforced { get; init; } = true;

    /// <summary>enabled, disabled, missing.</summary>
    public string Triggers { get; init; } = "enabled";
    public string Definition { get; init; } = "";

    /// <summary>
    /// Columns by pg_constraint.conkey: more than <see cref="Columns"/> where the catalog has lost some of what they rest on.
    /// </summary>
    public int KeyLength { get; init; }

    /// <summary>A condition on the child's row, of the owner's rule.</summary>
    public string? Where { get; init; }
    public bool Declared { get; init; } = true;

    /// <summary>Not the child's name, which the inner query would hide.</summary>
    public string ParentAlias => Child.Name == "kintsugi_parent" ? "kintsugi_parent_row" : "kintsugi_parent";

    /// <summary>As the RI triggers read it: a plain table alone, a partitioned one with all of its partitions.</summary>
    public string ParentFrom => $"{(Parent.Kind == 'p' ? "" : "ONLY ")}{Quote.Name(Parent)} AS {Quote.Identifier(ParentAlias)}";

    private string Row => Quote.Identifier(Child.Name);
    private string ParentColumn(int i) => $"{Quote.Identifier(ParentAlias)}.{Quote.Identifier(ParentColumns[i])}";
    private string Column(int i) => $"{Row}.{Quote.Identifier(Columns[i])}";

    public IReadOnlyList<string> Comparisons => [.. Enumerable.Range(0, Columns.Count).Select(i => Comparison(i, Row))];

    private string Comparison(int i, string row) =>
        $"{ParentColumn(i)}{ParentCasts[i]}{(Collations[i].Length == 0 ? "" : $" COLLATE {Collations[i]}")} "
        + $"{Operators[i]} {row}.{Quote.Identifier(Columns[i])}{Casts[i]}";

    /// <summary>True for an orphan. num_nulls is opaque to the planner, which otherwise believes NOT NULL (17+).</summary>
    public string Violation
    {
        get
        {
            var columns = string.Join(", ", Enumerable.Range(0, Columns.Count).Select(Column));
            var limit = Match == 'f' ? Columns.Count : 1;
            var eligible = $"pg_catalog.num_nulls({columns}) < {limit}{(Where is null ? "" : $" AND ({Where})")}";
            return Period
                ? $"{eligible} AND {Row}.ctid NOT IN ({Covered})"
                : $"{eligible} AND NOT EXISTS (SELECT FROM {ParentFrom} WHERE {string.Join(" AND ", Comparisons)})";
        }
    }

    /// <summary>
    /// Children whose range is covered by the union of the parents' ranges under the same key (ri_triggers.c, RI_FKey_check).
    /// </summary>
    private string Covered
    {
        get
        {
            var child = Quote.Identifier(ParentAlias + "_child");
            var period = $"{child}.{Quote.Identifier(Columns[^1])}";
            var parent = ParentColumn(Columns.Count - 1);
            var keys = Enumerable.Range(0, Columns.Count - 1).Select(i => Comparison(i, child));
            return $"SELECT {child}.ctid FROM ONLY {Quote.Name(Child)} AS {child} JOIN {ParentFrom} ON "
                + string.Join(" AND ", keys.Append($"{parent} OPERATOR(pg_catalog.&&) {period}"))
                + $" GROUP BY {child}.ctid HAVING pg_catalog.range_agg({period}) OPERATOR(pg_catalog.<@) "
                + $"pg_catalog.range_agg({parent})";
        }
    }

    public RowQuestion Question(IReadOnlyList<string> key) => new(Child, Violation, key)
    {
        Shown = RowQuestion.JsonOf(Row, Columns),
        Beside = ParentHeaps.Sum(heap => heap.Pages),
    };
}
