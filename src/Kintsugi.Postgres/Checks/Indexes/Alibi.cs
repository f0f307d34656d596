using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>Entries whose row the server can show lead somewhere after all: it is in shared buffers and not yet on disk.</summary>
internal sealed class Alibi(Located heap, Patient patient)
{
    /// <returns>Those without one.</returns>
    public async ValueTask<IReadOnlyList<EntrySuspicion>> Check(IReadOnlyList<EntrySuspicion> open, CancellationToken cancellationToken)
    {
        var doubtful = new List<EntrySuspicion>();
        foreach (var batch in open.Chunk(1000))
        {
            var shown = (await patient.Session.Rows(
                $"SELECT t.ctid::pg_catalog.text FROM ONLY {Quote.Name(heap.Relation)} t "
                + "WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.tid[])",
                row => row.GetString(0), cancellationToken, [batch.Select(entry => entry.Tid.ToString()).ToArray()])).ToHashSet();
            doubtful.AddRange(batch.Where(entry => entry.Fault == SlotFault.None || !shown.Contains(entry.Tid.ToString())));
        }
        return doubtful;
    }
}
