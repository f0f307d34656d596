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
    /// <returns>For each of those times what was taken since.</returns>
    public static async ValueTask<IReadOnlyList<Spending>> Since(
        ILedger ledger, string server, string except, IReadOnlyList<DateTimeOffset> since, CancellationToken cancellationToken)
    {
        var totals = since.Select(_ => new Spending(0, 0, 0)).ToArray();
        foreach (var row in await ledger.Cases(server, cancellationToken))
        {
            if (row.LastChanged < since.Min())
                continue;
            var facts = await ledger.FactsOf(row.Id, cancellationToken);
            // A plan of many rows is megabytes of JSON: it is looked into where it counts, and once.
            var plans = facts.Select(fact => fact.Kind == Facts.Planned ? new Lazy<PlanExtent>(() => PlanJson.ReadExtent(fact.Data)) : null).ToArray();
            for (var i = 0; i < totals.Length; i++)
                if (row.LastChanged >= since[i])
                    totals[i] = totals[i].With(facts, plans, since[i], row.Id == except ? 0 : 1);
        }
        return totals;
    }

    /// <summary>A step that was cut off may have done its part: where its clean-up did not say that nothing was done, all that was planned counts.</summary>
    private Spending With(IReadOnlyList<Fact> facts, IReadOnlyList<Lazy<PlanExtent>?> plans, DateTimeOffset since, int cases)
    {
        long rows = 0, bytes = 0, steps = 0;
        Lazy<PlanExtent>? plan = null;
        var (began, cutOff) = (false, false);
        foreach (var (fact, planned) in facts.Zip(plans))
        {
            if (planned is not null)
                (plan, steps) = (planned, 0);
            if (fact.At < since)
                continue;
            switch (fact.Kind)
            {
                case Facts.Intended:
                    bytes += steps++ == 0 ? plan?.Value.Bytes ?? 0 : 0;
                    (began, cutOff) = (true, true);
                    break;
                case Facts.Done:
                    var data = Facts.Read(fact.Data);
                    rows += Number(data, "rows_quarantined") + Number(data, "rows_changed");
                    cutOff = false;
                    break;
                case Facts.Cleaned when cutOff:
                    rows += Facts.Read(fact.Data).ContainsKey("removed") ? plan?.Value.Rows ?? 0 : 0;
                    cutOff = false;
                    break;
            }
        }
        return began ? new Spending(Cases + cases, Rows + rows + (cutOff ? plan?.Value.Rows ?? 0 : 0), Bytes + bytes) : this;
    }

    private static long Number(IReadOnlyDictionary<string, string> data, string name) =>
        data.TryGetValue(name, out var text) ? long.Parse(text, CultureInfo.InvariantCulture) : 0;
}
