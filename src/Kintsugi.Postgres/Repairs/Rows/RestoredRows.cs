using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Puts kept rows back, those that are alike in one statement. What that cannot do for all of them it does for none; then their halves are tried, down
/// to the one row that it is about, so that the reason is told of that row.
/// </summary>
internal sealed class RestoredRows(WriteSession session)
{
    /// <param name="entries">In the order in which they are to come back.</param>
    public async ValueTask PutBack(IReadOnlyList<QuarantineEntry> entries, CancellationToken cancellationToken)
    {
        for (var from = 0; from < entries.Count;)
        {
            var to = from + 1;
            while (to < entries.Count && Alike(entries[from], entries[to]))
                to++;
            await Together([.. entries.Skip(from).Take(to - from)], cancellationToken);
            from = to;
        }
    }

    private async ValueTask Together(QuarantineEntry[] entries, CancellationToken cancellationToken)
    {
        if (entries.Length == 1)
        {
            await new RowRestoration(session, entries).PutBack(cancellationToken);
            return;
        }
        await session.Execute("SAVEPOINT kintsugi_together", cancellationToken);
        try
        {
            await new RowRestoration(session, entries).PutBack(cancellationToken);
            await session.Execute("RELEASE SAVEPOINT kintsugi_together", cancellationToken);
            return;
        }
        catch (Exception problem) when (session.IsOpen && problem is HealingException or PatientException { ConnectionLost: false })
        {
            await session.Execute("ROLLBACK TO SAVEPOINT kintsugi_together; RELEASE SAVEPOINT kintsugi_together", cancellationToken);
        }
        await Together(entries[..(entries.Length / 2)], cancellationToken);
        await Together(entries[(entries.Length / 2)..], cancellationToken);
    }

    private static bool Alike(QuarantineEntry one, QuarantineEntry other) =>
        one.Kind == other.Kind && one.Kind is "removed" or "changed" && one.Relation == other.Relation && one.RelationOid == other.RelationOid
        && one.Columns.SequenceEqual(other.Columns) && one.Types.SequenceEqual(other.Types) && one.Numbers.SequenceEqual(other.Numbers)
        && one.Changed.SequenceEqual(other.Changed) && one.After.Count == other.After.Count && one.AfterPlace is null == other.AfterPlace is null;
}
