using System.CommandLine;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Options;

/// <summary>Which relations, by psql patterns, as pg_amcheck names its options.</summary>
internal sealed class SelectionOptions
{
    private readonly Option<string[]> table = new("--table", "-t") { Description = "tables (pattern) with their indexes, TOAST and sequences; repeats" };
    private readonly Option<string[]> noTable = new("--exclude-table", "-T") { Description = "not these tables; repeats" };
    private readonly Option<string[]> schema = new("--schema", "-n", "-s") { Description = "schemas (pattern); repeats" };
    private readonly Option<string[]> noSchema = new("--exclude-schema", "-N", "-S") { Description = "not these schemas; repeats" };
    private readonly Option<string[]> index = new("--index", "-i") { Description = "indexes (pattern); repeats" };
    private readonly Option<string[]> noIndex = new("--exclude-index", "-I") { Description = "not these indexes; repeats" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { table, noTable, schema, noSchema, index, noIndex })
            command.Add(option);
    }

    public Selection Read(ParseResult parsed) => new()
    {
        Tables = Patterns(parsed, table, true),
        ExcludedTables = Patterns(parsed, noTable, true),
        Schemas = Patterns(parsed, schema, false),
        ExcludedSchemas = Patterns(parsed, noSchema, false),
        Indexes = Patterns(parsed, index, true),
        ExcludedIndexes = Patterns(parsed, noIndex, true),
    };

    private static IReadOnlyList<NamePattern> Patterns(ParseResult parsed, Option<string[]> option, bool mayHaveSchema) =>
        [.. (parsed.GetValue(option) ?? []).Select(text => NamePattern.Parse(text, mayHaveSchema))];
}

/// <summary>The relations that were asked for.</summary>
internal sealed record Selection
{
    public IReadOnlyList<NamePattern> Tables { get; init; } = [];
    public IReadOnlyList<NamePattern> ExcludedTables { get; init; } = [];
    public IReadOnlyList<NamePattern> Schemas { get; init; } = [];
    public IReadOnlyList<NamePattern> ExcludedSchemas { get; init; } = [];
    public IReadOnlyList<NamePattern> Indexes { get; init; } = [];
    public IReadOnlyList<NamePattern> ExcludedIndexes { get; init; } = [];

    private bool IsNarrow => Tables.Count + ExcludedTables.Count + Schemas.Count + ExcludedSchemas.Count + Indexes.Count + ExcludedIndexes.Count > 0;

    /// <summary>All patterns as one word: which scrub an interrupted one was.</summary>
    public string Words => string.Join('\u001e', new[] { Tables, ExcludedTables, Schemas, ExcludedSchemas, Indexes, ExcludedIndexes }
        .Select(patterns => string.Join('\u001f', patterns.Select(pattern => pattern.Text))));

    /// <summary>Null when nothing narrows it.</summary>
    public Func<Relation, bool>? Filter => IsNarrow ? Includes : null;

    /// <exception cref="UsageException">A pattern matches nothing in any of the databases.</exception>
    public void Validate(IEnumerable<Inventory> inventories)
    {
        foreach (var relation in inventories.SelectMany(inventory => inventory.Relations))
            Includes(relation);
        foreach (var pattern in Tables.Concat(Schemas).Concat(Indexes))
            if (pattern.Matched == 0)
                throw new UsageException($"no relation matches the pattern {pattern.Text}");
    }

    private bool Includes(Relation relation)
    {
        // Not short-circuited: every pattern must count what it matches.
        var table = Any(Tables, p => MatchesTable(p, relation));
        var schema = Any(Schemas, p => p.Matches(null, relation.TableSchema));
        var index = relation.Index is not null && Any(Indexes, p => p.Matches(relation.Schema, relation.Name));
        var wanted = Tables.Count + Schemas.Count + Indexes.Count == 0 || table || schema || index;
        return wanted
            && !Any(ExcludedTables, p => MatchesTable(p, relation))
            && !Any(ExcludedSchemas, p => p.Matches(null, relation.TableSchema))
            && !(relation.Index is not null && Any(ExcludedIndexes, p => p.Matches(relation.Schema, relation.Name)));
    }

    /// <summary>A sequence belongs to the table whose column owns it, and answers to its own name as well.</summary>
    private static bool MatchesTable(NamePattern pattern, Relation relation) =>
        pattern.Matches(relation.TableSchema, relation.TableName) || (relation.Kind == 'S' && pattern.Matches(relation.Schema, relation.Name));

    private static bool Any(IReadOnlyList<NamePattern> patterns, Func<NamePattern, bool> matches)
    {
        var any = false;
        foreach (var pattern in patterns)
            any |= matches(pattern);
        return any;
    }
}
