using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Every tuple of every table from the bytes on disk, believing none of them: what verify_heapam asks, on 13 too, where there is none, and what it
/// does not ask: hint bits that contradict the commit log, lengths inside jsonb, bytes of tuples that lost their line pointer. Nothing is read
/// through the server, so nothing that stands there can crash it.
/// </summary>
public sealed class HeapPagesCheck(TimeProvider clock) : IBatchCheck
{
    public string Id => "heap-pages";
    public string Proves => "no tuple on disk contradicts itself, its table's columns or the commit log";
    public Layer Layer => Layer.Heap;
    public Depth Depth => Depth.Standard;
    public bool RestsOnPages => true;
    public IReadOnlyList<FaultClass> Finds { get; } = [Faults.HeapCorrupt, Faults.ToastCorrupt, Faults.TransactionStatusMissing];
    public Needs Needs { get; } = new() { Sql = false };

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([.. patient.Relations.Relations.Where(relation => relation.HasHeap)
            // Without a catalog nobody knows which files are tables.
            .Where(relation => patient.Sql is not null || relation is { Path: not null, AccessMethod: "heap" })
            .Select(relation => Eligible.Portion(relation, patient) with
            {
                Settled = Eligible.Settle(relation, patient) ?? (relation.AccessMethod is not ("heap" or "")
                    ? new Verdict.NotApplicable($"table access method {relation.AccessMethod} has pages of its own") : null),
            })]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        if (bytes is null)
            return new Verdict.Unchecked("its pages cannot be read: run on the server's machine as the owner of the data directory, or GRANT EXECUTE "
                + "ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean), pg_catalog.pg_stat_file(text, boolean) "
                + $"TO {patient.Can.User}");
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (await HeapReading.Begin(portion.Relation!, bytes, patient, clock, cancellationToken) is not { } reading)
                return new Verdict.NotApplicable("dropped meanwhile");
            try
            {
                var findings = await reading.Run(portion.Target, cancellationToken);
                if (findings.Count == 0)
                    return reading.KnowsColumns ? Verdict.Sound.Instance : new Verdict.Unchecked(
                        "pg_attribute does not have every column of it (see the check catalog): its tuples cannot be held against their columns");
                // ALTER TABLE, TRUNCATE, CLUSTER: other columns or another file than those that were read.
                if (await HeapReading.Begin(portion.Relation!, bytes, patient, clock, cancellationToken) is { } after && after.IsLike(reading))
                    return new Verdict.Damaged(RelationPages.Weigh(findings, patient));
            }
            catch (IOException failed)
            {
                return new Verdict.Unchecked($"its files could not be read: {failed.Message}");
            }
            bytes.Reopen();
        }
        return new Verdict.Unchecked("its definition or its file changed each time while it was read; run it again when nothing rewrites it");
    }

    public async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        if (bytes is not LocalBytes)
            return [];
        var relations = portions.Select(portion => portion.Relation!).ToList();
        var readings = await HeapReading.Begin(relations, bytes, patient, clock, cancellationToken);
        var clean = new List<Portion>();
        try
        {
            foreach (var portion in portions)
                if (readings.TryGetValue(portion.Relation!.Oid, out var reading) && reading.KnowsColumns
                    && (await reading.Suspects(cancellationToken)).Count == 0)
                    clean.Add(portion);
        }
        catch (IOException)
        {
            // The one that fails says so when it is examined alone, and so are those behind it.
        }
        var after = await HeapReading.Begin(relations, bytes, patient, clock, cancellationToken);
        return [.. clean.Where(portion => after.TryGetValue(portion.Relation!.Oid, out var now) && now.IsLike(readings[portion.Relation.Oid]))];
    }
}
