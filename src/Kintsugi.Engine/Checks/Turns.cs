namespace Kintsugi;

/// <summary>One table of one database with all that is to be examined of it; or, without a table, what concerns the whole.</summary>
/// <param name="Oldest">The longest time ago that a part of it was proven, or that it had its turn.</param>
internal sealed record Turn(string? Database, string? Table, DateTimeOffset Oldest, IReadOnlyList<(ICheck Check, Portion Portion)> Work)
{
    /// <summary>The whole and the system catalogs come before the tables: trust is built from the ground up.</summary>
    public bool IsGround { get; init; }
    public long Weight { get; } = Work.Sum(item => item.Portion.Weight);
}

/// <summary>
/// Cuts the work of a scrub with a time limit into turns, the longest unproven first: table by table through all layers, so that each window ends with
/// whole proofs and the next one goes on with other tables.
/// </summary>
internal static class Turns
{
    /// <summary>Small tables share a turn: 16 MiB of them, and no more than would hold up the clock.</summary>
    private const long PagesTogether = 2048;
    private const int TablesTogether = 100;

    public static IReadOnlyList<Turn> Arrange(
        string? database, IReadOnlyList<(ICheck Check, Portion Portion)> work, Inventory? inventory, Depth depth, ScrubHistory history)
    {
        var ranked = work.Where(item => item.Portion.Relation is not null).GroupBy(item => item.Portion.Relation!.TableOid)
            .Select(table => Rank(table, database, depth, history))
            .OrderBy(table => !table.IsGround).ThenBy(table => table.Oldest).ThenBy(table => table.Weight).ThenBy(table => table.Oid).ToList();
        var rank = ranked.Select((table, i) => (table.Oid, i)).ToDictionary();
        // A piece that stands on other tables as well belongs to the turn of the last of them: its ground then lies before it.
        int RankOf(Portion portion) => portion.Relation is not { } own ? -1
            : portion.StandsOn.Select(oid => inventory?.Find(oid)?.TableOid ?? 0).Append(own.TableOid).Max(oid => rank.GetValueOrDefault(oid, -1));
        return [.. work.GroupBy(item => RankOf(item.Portion)).OrderBy(group => group.Key).Select(group => group.Key < 0
            ? new Turn(database, null, DateTimeOffset.MinValue, [.. group]) { IsGround = true }
            : new Turn(database, ranked[group.Key].Name, ranked[group.Key].Oldest, [.. group]) { IsGround = ranked[group.Key].IsGround })];
    }

    /// <summary>Turns of several databases, the longest unproven first; small ones of one database together.</summary>
    public static IEnumerable<IReadOnlyList<Turn>> InOrder(IEnumerable<Turn> turns)
    {
        var together = new List<Turn>();
        foreach (var turn in turns.OrderBy(turn => !turn.IsGround).ThenBy(turn => turn.Oldest))
        {
            if (together.Count > 0 && (together[0].Database != turn.Database || together.Count == TablesTogether
                || together.Sum(one => one.Weight) + turn.Weight > PagesTogether))
            {
                yield return together;
                together = [];
            }
            together.Add(turn);
        }
        if (together.Count > 0)
            yield return together;
    }

    private static (uint Oid, string Name, bool IsGround, DateTimeOffset Oldest, long Weight) Rank(
        IGrouping<uint, (ICheck Check, Portion Portion)> table, string? database, Depth depth, ScrubHistory history)
    {
        var first = table.First().Portion.Relation!;
        var name = $"{first.TableSchema}.{first.TableName}";
        var proven = table.Where(item => item.Portion.Settled is null)
            .Select(item => history.ProvenAt(item.Check.Id, item.Portion.Target, depth)).DefaultIfEmpty(DateTimeOffset.MinValue).Min();
        // One that cannot be proven (damaged, no lock) must not come first for ever: having had its turn counts as well.
        var turn = history.TurnOf(database ?? "", name);
        return (table.Key, name, first.IsCatalog, proven > turn ? proven : turn, table.Sum(item => item.Portion.Weight));
    }
}
