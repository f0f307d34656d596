using System.Buffers.Binary;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Values;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>
/// Leads a pointer that names no value back to the one value that no row refers to. Every row version of the table is asked for its pointers; what is left
/// over in the TOAST table is a value that lost its row's pointer, for chunks are deleted with their row. It must have just the sizes that the pointer says.
/// </summary>
public sealed class RelinkToastRepair(TimeProvider clock) : IRepair
{
    /// <summary>More pointers at once are no accident of single fields.</summary>
    private const int MostPointers = 20;

    /// <summary>Behind two bytes of header: raw size, stored size, value (varatt.h).</summary>
    private const int ValueIdAt = 2 + 8;

    public string Id => "relink-toast";
    public string Does => "leads a pointer that names no value back to the only value of its size that no row refers to";
    public IReadOnlyList<FaultClass> Mends => [Faults.ToastCorrupt];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Relations.Find(healing.Target.ObjectSchema ?? healing.Target.Schema, healing.Target.Object ?? healing.Target.Relation)
                is not { Kind: 'r', IsCatalog: false, Path: not null, ToastOid: > 0 } table || patient.Relations.Find(table.ToastOid) is not { } toast)
            return new Proposal.Refused("not a table with out-of-line values");
        if (PagePlan.Obstacle(healing, table, patient) is { } obstacle)
            return new Proposal.Refused(obstacle);
        using var search = await PageSearch.Of(patient, cancellationToken);
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        if (search is not { IsCurrent: true } || bytes is null)
            return new Proposal.Refused("rows that were written a moment ago cannot be seen without pageinspect, and one of them may refer to the value");
        if (table.Pages > PageSearch.MostBlocks || toast.Pages > PageSearch.MostBlocks)
            return new Proposal.Refused("the table is too large to ask each of its rows for what it refers to");
        try
        {
            // Values first: a row that refers to one of them was there before its chunks could be seen, so the rows read after are all that can.
            var values = await ToastInventory.Of(toast, patient.Session, cancellationToken);
            if (await RowPointers.Of(table, search, patient, cancellationToken) is not { } pointers)
                return new Proposal.Refused("a row of the table cannot be read to its end, and may refer to the value");
            var named = pointers.Select(pointer => pointer.Says.ValueId).ToHashSet();
            var lost = await Visible(table, [.. pointers.Where(pointer => !values.ContainsKey(pointer.Says.ValueId))], patient, cancellationToken);
            // Gone meanwhile with its row: then no pointer was lost.
            var left = await ToastInventory.Of(toast, patient.Session, cancellationToken);
            var orphans = values.Values.Where(value => !named.Contains(value.Id) && left.ContainsKey(value.Id)).ToList();
            return await Propose(healing, table, lost, orphans, bytes, patient, cancellationToken);
        }
        catch (IOException failed)
        {
            return new Proposal.Refused($"its files could not be read: {failed.Message}");
        }
    }

    /// <summary>Of rows that are dead the values may be gone.</summary>
    private static async ValueTask<IReadOnlyList<RowPointer>> Visible(
        Relation table, IReadOnlyList<RowPointer> pointers, Patient patient, CancellationToken cancellationToken)
    {
        var row = Quote.Identifier(table.Name);
        var seen = new HashSet<string>();
        foreach (var part in pointers.Chunk(1000))
            seen.UnionWith(await patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(
                $"SELECT {row}.ctid::pg_catalog.text FROM ONLY {Quote.Name(table)} WHERE {row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[])",
                found => found.GetString(0), cancellationToken, (object)part.Select(pointer => pointer.Row.ToString()).ToArray()), cancellationToken));
        return [.. pointers.Where(pointer => seen.Contains(pointer.Row.ToString()))];
    }

    private async ValueTask<Proposal> Propose(
        HealingCase healing, Relation table, IReadOnlyList<RowPointer> lost, List<ChunkedValue> orphans, IByteSource bytes, Patient patient,
        CancellationToken cancellationToken)
    {
        if (lost.Count is 0 or > MostPointers)
            return new Proposal.Refused(lost.Count == 0 ? "every row's values are there" : $"{lost.Count} rows have lost a value: no accident of single fields");
        var pairs = lost.SelectMany(pointer => orphans.Where(value => value.Fits(pointer.Says)).Select(value => (Pointer: pointer, Value: value))).ToList();
        if (lost.FirstOrDefault(pointer => pairs.Count(pair => pair.Pointer == pointer) != 1) is { } open)
            return new Proposal.Refused($"row {open.Row}: {pairs.Count(pair => pair.Pointer == open)} of {orphans.Count} values that no row refers to have the "
                + $"{open.Says.StoredSize} bytes that its pointer says");
        if (pairs.GroupBy(pair => pair.Value.Id).FirstOrDefault(group => group.Count() > 1) is { } rivals)
            return new Proposal.Refused($"{rivals.Count()} pointers fit value {rivals.Key}");
        if (await HeapReading.Begin(table, bytes, patient, clock, cancellationToken) is not { } reading)
            return new Proposal.Refused("its table is gone");
        var mended = new List<MendedPage>();
        foreach (var block in pairs.GroupBy(pair => (long)pair.Pointer.Row.Block))
        {
            if (await reading.SoundPage(block.Key, cancellationToken) is not { } page)
                return new Proposal.Refused($"block {block.Key} is being written, or its checksum is wrong");
            var corrections = block.Select(pair => Correct(page, pair.Pointer, pair.Value)).ToList();
            if (corrections.Contains(null))
                return new Proposal.Refused($"block {block.Key} was changed, and is not on disk yet");
            mended.Add(MendedPage.Of(block.Key, page, corrections!, patient));
        }
        return new Proposal.Planned(PagePlan.Of(Id, healing, table, patient, mended, lost.Count, approval: null));
    }

    /// <returns>Null where the page on disk does not have the pointer there.</returns>
    private static Correction? Correct(byte[] page, RowPointer pointer, ChunkedValue value)
    {
        var line = LinePointer.Read(page, pointer.Row.Item);
        var at = line.Offset + pointer.At + ValueIdAt;
        if (!HeapPageInspector.IsReadable(page, line) || pointer.At + ToastPointer.Size > line.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(at)) != pointer.Says.ValueId)
            return null;
        var after = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(after, value.Id);
        return new Correction(FlawKind.None, pointer.Row.Item, at, page.AsMemory(at, 4), after, Basis.Testimony,
            [
                new Witness("elimination", true, $"no row refers to value {value.Id}, and its chunks are alive"),
                new Witness("sizes", true, $"value {value.Id} has the {value.Bytes} bytes in {value.Chunks} chunks that the pointer says"
                    + (pointer.Says.IsCompressed ? $", and unpacks to {pointer.Says.RawSize - 4}" : "")),
            ],
            $"column {pointer.Column + 1} of row {pointer.Row} leads to value {value.Id}, not to {pointer.Says.ValueId}, which is not there");
    }
}
