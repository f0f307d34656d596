using Kintsugi.Postgres.Checks.Rows;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>Writes what was found about a foreign key, for people and for repairs.</summary>
internal static class OrphanFinding
{
    public static Finding Of(ForeignKeyPortion portion, RowsFound found, string? hidden, string probed, string? cause)
    {
        var key = portion.ForeignKey;
        var samples = found.Samples;
        return new Finding(Faults.RowOrphaned, portion.Target, Evidence(key, found) + (cause is null ? "" : $"; likely cause: {cause}"))
        {
            Rows = found.Rows,
            Key = found.Rows == 1 ? samples[0] : null,
            Samples = samples,
            Hint = hidden is null
                ? "look at the sample rows; kintsugi heal can move them into quarantine, from where they can be put back"
                : $"touch no row yet: {hidden}",
            Facts = cause is null ? Facts(portion, found, hidden, probed)
                : new Dictionary<string, string>(Facts(portion, found, hidden, probed)) { [FactNames.Cause] = cause },
        };
    }

    private static string Evidence(ForeignKey key, RowsFound found)
    {
        var rows = found.Rows == 1 ? "1 row refers" : $"{found.Rows} rows refer";
        var state = State(key);
        return $"{rows} by ({string.Join(", ", key.Columns)}) to rows of {key.Parent.Schema}.{key.Parent.Name} "
            + $"({string.Join(", ", key.ParentColumns)}) that do not exist, for example {found.Sample[0].Shown}"
            + (state is null ? "" : $"; {key.Name} {state}");
    }

    private static string? State(ForeignKey key) =>
        !key.Declared ? "is a rule of the configuration, which the schema does not declare"
        : !key.Enforced ? "is declared NOT ENFORCED: such rows are legal to the server"
        : !key.Validated ? "is NOT VALID: the rows that were there before were never checked"
        : key.Triggers == "disabled" ? "has its triggers disabled"
        : key.Triggers == "missing" ? "has lost its triggers"
        : "is declared and validated: it was bypassed (session_replication_role, disabled triggers, a restore), or the "
            + "parents were lost";

    private static Dictionary<string, string> Facts(
        ForeignKeyPortion portion, RowsFound found, string? hidden, string probed)
    {
        var key = portion.ForeignKey;
        var question = key.Question(portion.Key);
        var facts = RowFacts.Of(question, portion.Repair, null);
        facts[FactNames.Constraint] = key.Name;
        facts[FactNames.Origin] = key.Declared ? "declared" : "rule";
        facts[FactNames.Columns] = RowFacts.List(key.Columns);
        facts[FactNames.ParentSchema] = key.Parent.Schema;
        facts[FactNames.ParentTable] = key.Parent.Name;
        facts[FactNames.ParentColumns] = RowFacts.List(key.ParentColumns);
        facts[FactNames.Operators] = RowFacts.List(key.Operators);
        facts[FactNames.Comparisons] = RowFacts.List(key.Comparisons);
        facts[FactNames.RootSchema] = key.Root.Schema;
        facts[FactNames.RootTable] = key.Root.Name;
        facts[FactNames.ParentAlias] = key.ParentAlias;
        facts[FactNames.ParentFrom] = key.ParentFrom;
        facts[FactNames.StandsOn] = RowFacts.List([.. key.ParentHeaps.SelectMany(heap => new[] { heap.Schema, heap.Name })]);
        facts[FactNames.Match] = key.Match == 'f' ? "full" : "simple";
        facts[FactNames.OnDelete] = key.OnDelete switch
        {
            'r' => "restrict",
            'c' => "cascade",
            'n' => "set null",
            'd' => "set default",
            _ => "no action",
        };
        facts[FactNames.Definition] = key.Definition;
        facts[FactNames.Validated] = RowFacts.Word(key.Validated);
        facts[FactNames.Enforced] = RowFacts.Word(key.Enforced);
        facts[FactNames.Triggers] = key.Triggers;
        facts[FactNames.Values] = RowFacts.List([.. found.Sample.Take(20).Select(row => row.Shown ?? "null")]);
        facts[FactNames.ParentProbe] = probed;
        if (hidden is not null)
            facts[FactNames.ParentSuspect] = hidden;
        return facts;
    }
}
