using System.Text.Json.Nodes;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>What becomes of a row in a batch.</summary>
internal enum RowFate
{
    /// <summary>It leaves its table for quarantine.</summary>
    Remove,

    /// <summary>The batch's assignments are made on it.</summary>
    Set,

    /// <summary>It is updated through the root of its partitioned table, which routes it anew.</summary>
    Move,

    /// <summary>The server itself will change it (ON DELETE SET NULL): its old state is kept.</summary>
    Witness,
}

/// <summary>One row that a batch touches, by what tells that it is still the row that was looked at.</summary>
/// <param name="Table">Its place in <see cref="RowBatch.Tables"/>.</param>
/// <param name="Group">Rows of one group are done together or not at all: an orphan and what refers to it.</param>
/// <param name="Accused">The finding is about it; the others are there because they refer to one that is.</param>
internal sealed record BatchRow(int Table, string Place, string Version, string Hash, RowFate Fate, int Group, bool Accused)
{
    /// <summary>What is set on this row, where that is not the same for the whole batch.</summary>
    public IReadOnlyList<Assignment> Own { get; init; } = [];
}

/// <summary>A reference between two tables of a batch: who refers to its rows, to be asked again under lock.</summary>
/// <param name="Sql">Gives places of referring rows; $1 holds the places of the rows referred to.</param>
internal sealed record BatchLink(int Child, int Parent, string Sql);

/// <param name="Expression">SQL over the row, or DEFAULT.</param>
internal sealed record Assignment(string Column, string Expression);

/// <summary>One transaction's worth of row repair, settled beforehand: it travels in a step's arguments as JSON.</summary>
internal sealed record RowBatch
{
    /// <summary>The accused table first; then those that refer to it.</summary>
    public required IReadOnlyList<TableName> Tables { get; init; }
    public required IReadOnlyList<BatchRow> Rows { get; init; }

    /// <summary>True for a bad row of the first table; empty where the rows were chosen by other means.</summary>
    public string Violation { get; init; } = "";

    /// <summary>
    /// True for a row that is still wrong after the change, where that is another condition than <see cref="Violation"/>; empty for the same.
    /// </summary>
    public string Result { get; init; } = "";

    /// <summary>
    /// The violation is about other rows, which were all read from the heap alone for this plan. What the batch has to ask is only whether one has come
    /// since, and an index may tell: it stops the removal, and never causes one. Each batch would read the other table again otherwise.
    /// </summary>
    public bool IndexMayAcquit { get; init; }

    /// <summary>The violation calls the owner's functions: it is asked with the owner's rights.</summary>
    public bool OwnersCode { get; init; }

    /// <summary>Tables locked against writing for the batch: the parent whose absence is the fault.</summary>
    public IReadOnlyList<string> Locks { get; init; } = [];
    public IReadOnlyList<Assignment> Assignments { get; init; } = [];
    public IReadOnlyList<BatchLink> Links { get; init; } = [];

    /// <summary>Statements run before the rows are changed, in the same transaction: a missing parent is made again.</summary>
    public IReadOnlyList<string> First { get; init; } = [];

    /// <summary>A query that gives rows where the result is still wrong, or empty.</summary>
    public string Proof { get; init; } = "";

    /// <summary>The quoted root of a partitioned table, for <see cref="RowFate.Move"/>.</summary>
    public string Root { get; init; } = "";

    public IReadOnlyDictionary<string, string> ToArguments(string rule)
    {
        var arguments = Arguments(rule);
        // Said only where it is so: the plans of other repairs stay those that were approved before there was this.
        if (IndexMayAcquit)
            arguments["index_may_acquit"] = "true";
        return arguments;
    }

    private Dictionary<string, string> Arguments(string rule) => new()
    {
        ["rule"] = rule,
        ["tables"] = Text(Tables.Select(t => List(t.Schema, t.Name, t.Owner))),
        // A line for each: a plan may name a hundred thousand, and none of these fields holds a tab or the end of a line.
        ["rows"] = string.Join('\n', Rows.Select(r => string.Join('\t', Number(r.Table), r.Place, r.Version, r.Hash, r.Fate.ToString(), Number(r.Group),
            r.Accused ? "accused" : "", r.Own.Count == 0 ? "" : Text(r.Own.Select(a => List(a.Column, a.Expression)))))),
        ["violation"] = Violation,
        ["result"] = Result,
        ["owners_code"] = OwnersCode ? "true" : "false",
        ["locks"] = List([.. Locks]).ToJsonString(),
        ["set"] = Text(Assignments.Select(a => List(a.Column, a.Expression))),
        ["links"] = Text(Links.Select(l => List(Number(l.Child), Number(l.Parent), l.Sql))),
        ["first"] = List([.. First]).ToJsonString(),
        ["proof"] = Proof,
        ["root"] = Root,
    };

    public static RowBatch From(Step step) => new()
    {
        Tables = [.. Lists(step["tables"]).Select(t => new TableName(t[0], t[1], t[2]))],
        Rows = [.. Fields(step["rows"]).Select(Row)],
        Violation = step["violation"],
        Result = step["result"],
        OwnersCode = step["owners_code"] == "true",
        // A case that an earlier build left half way does not say so.
        IndexMayAcquit = step.Arguments.GetValueOrDefault("index_may_acquit") == "true",
        Locks = Strings(JsonNode.Parse(step["locks"])!),
        Assignments = Assigned(step["set"]),
        Links = [.. Lists(step["links"]).Select(l => new BatchLink(Integer(l[0]), Integer(l[1]), l[2]))],
        First = Strings(JsonNode.Parse(step["first"])!),
        Proof = step["proof"],
        Root = step["root"],
    };

    /// <summary>A case that an earlier build left half way has a list of lists.</summary>
    private static IEnumerable<string[]> Fields(string rows) => rows.StartsWith('[') ? Lists(rows)
        : rows.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'));

    private static BatchRow Row(string[] fields) =>
        new(Integer(fields[0]), fields[1], fields[2], fields[3], Enum.Parse<RowFate>(fields[4]), Integer(fields[5]), fields[6].Length > 0)
        {
            Own = fields[7].Length == 0 ? [] : Assigned(fields[7]),
        };

    private static string Number(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
    private static int Integer(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    private static JsonArray List(params string[] texts) => new([.. texts.Select(text => (JsonNode?)JsonValue.Create(text))]);
    private static string Text(IEnumerable<JsonArray> lists) => new JsonArray([.. lists]).ToJsonString();
    private static IReadOnlyList<Assignment> Assigned(string text) => [.. Lists(text).Select(a => new Assignment(a[0], a[1]))];
    private static IEnumerable<string[]> Lists(string text) => JsonNode.Parse(text)!.AsArray().Select(list => Strings(list!));

    /// <summary>Reads a list of strings, as the facts of a finding hold them too.</summary>
    public static string[] Strings(JsonNode list) => [.. list.AsArray().Select(item => item!.GetValue<string>())];
}
