using System.Globalization;

namespace Kintsugi;

/// <summary>How much may be repaired without a person over time, on one server. Null is no limit.</summary>
public sealed record SpendingLimits
{
    public long? CasesPerHour { get; init; }
    public long? CasesPerDay { get; init; }
    public long? RowsPerHour { get; init; }
    public long? RowsPerDay { get; init; }

    /// <summary>What repairs write: rebuilt indexes, rewritten files.</summary>
    public long? BytesPerHour { get; init; }
    public long? BytesPerDay { get; init; }

    /// <returns>Which limit the plan would go beyond, or null.</returns>
    public string? Exceeded(Spending hour, Spending day, Plan plan)
    {
        var rows = plan.RowsQuarantined + plan.RowsChanged;
        return Beyond(hour.Cases, 1, CasesPerHour, "cases", "hour") ?? Beyond(day.Cases, 1, CasesPerDay, "cases", "day")
            ?? Beyond(hour.Rows, rows, RowsPerHour, "rows", "hour") ?? Beyond(day.Rows, rows, RowsPerDay, "rows", "day")
            ?? Beyond(hour.Bytes, plan.DiskBytes, BytesPerHour, "bytes", "hour") ?? Beyond(day.Bytes, plan.DiskBytes, BytesPerDay, "bytes", "day");
    }

    // What needs nothing of a kind is not held back by its limit.
    private static string? Beyond(long spent, long wanted, long? limit, string what, string span) =>
        limit is { } most && wanted > 0 && spent + wanted > most
            ? string.Create(CultureInfo.InvariantCulture, $"the repair budget of {most} {what} in {(span == "hour" ? "an" : "a")} {span} is used up: "
                + $"{spent} in the last {span}, and this needs {wanted}")
            : null;
}

/// <summary>What repairs of one server took in a span of time, by the ledger.</summary>
public sealed record Spending(long Cases, long Rows, long Bytes)
{
    /// <param name="except">A case that is not counted again; what its earlier repairs took is.</param>
    public static async ValueTask<Spending> Since(
        ILedger ledger, string server, string except, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var total = new Spending(0, 0, 0);
        foreach (var row in await ledger.Cases(server, cancellationToken))
            if (row.LastChanged >= since)
                total = total.With(await ledger.FactsOf(row.Id, cancellationToken), since, row.Id == except ? 0 : 1);
        return total;
    }

    private Spending With(IReadOnlyList<Fact> facts, DateTimeOffset since, int cases)
    {
        if (!facts.Any(fact => fact.Kind == Facts.Intended && fact.At >= since))
            return this;
        var done = facts.Where(fact => fact.Kind == Facts.Done && fact.At >= since).Select(fact => Facts.Read(fact.Data)).ToList();
        return new Spending(Cases + cases, Rows + done.Sum(data => Number(data, "rows_quarantined") + Number(data, "rows_changed")),
            Bytes + (new CaseHistory(facts).ReadPlan()?.DiskBytes ?? 0));
    }

    private static long Number(IReadOnlyDictionary<string, string> data, string name) =>
        data.TryGetValue(name, out var text) ? long.Parse(text, CultureInfo.InvariantCulture) : 0;
}
