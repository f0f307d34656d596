using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>What tuples must agree with, from the files alone: the control file, pg_xact, and the columns as pg_attribute's own pages tell them.</summary>
internal static class OfflineReading
{
    public static async ValueTask<IReadOnlyDictionary<uint, HeapReading>> Begin(
        IReadOnlyList<Relation> relations, IByteSource bytes, Patient patient, TimeProvider clock, CancellationToken cancellationToken)
    {
        var control = await HeapReading.Control(bytes, cancellationToken);
        var expected = new HeapExpectations
        {
            NextXid = control is null ? 0 : HeapReading.After(control.NextXid),
            FrozenXid = control?.OldestXid ?? 0,
            NextMulti = control is null ? 0 : HeapReading.After(control.NextMulti),
            MinimumMulti = control?.OldestMulti ?? 0,
            CommitLog = control is null ? null : await HeapReading.Log(bytes, control.OldestXid, control.NextXid, cancellationToken),
            EndedBefore = control is null ? 0 : EndedBefore(control, patient),
            IsBeforeCompressionMethods = patient.Can.Major < 14,
        };
        return relations.Where(relation => relation.Path is not null).ToDictionary(relation => relation.Oid, relation => new HeapReading(
            new Located(relation, relation.Path!),
            expected with
            {
                Columns = relation.Columns is { } columns
                    ? [.. columns.Select(column => new HeapColumn(column.Length, (byte)column.Alignment, column.Type))] : null,
                ToastRelation = relation.IsCatalog ? null : relation.ToastOid,
            },
            new FileView(bytes, patient, clock), patient.Can.DataChecksums != false, null, clock));
    }

    /// <summary>Nobody can be asked about a transaction that was committed since the checkpoint: only a clean stop has written all of them.</summary>
    private static uint EndedBefore(ControlFile control, Patient patient)
    {
        if (patient.Files?.Directory is not { } path || !DataDirectory.Open(path).IsShutDown)
            return 0;
        // Prepared transactions have not ended; each has a file that is called by its id (13-16: eight hex digits, from 17 on sixteen).
        return patient.Files.List("pg_twophase")
            .Select(name => ulong.TryParse(name, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var xid) ? (uint)xid : control.NextXid)
            .Aggregate(control.NextXid, (oldest, xid) => TransactionIds.Precedes(xid, oldest) ? xid : oldest);
    }
}
