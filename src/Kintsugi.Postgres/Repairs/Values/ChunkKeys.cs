using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Repairs.Pages;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>
/// Chunks that their index knows under another value or another number than they bear. A large value is read through that index alone: where the entry is
/// right, a rebuild takes the value away although it was whole. Who is right the rows say: a chunk is wanted where a row's pointer names its value, has so
/// many chunks, and no other chunk bears that number.
/// </summary>
internal sealed class ChunkKeys(Relation toast, IndexTestimony index, RowRoots roots, IPageView view, Patient patient)
{
    private readonly record struct ChunkKey(uint Value, int Number);

    private sealed record Mistaken(ChunkKey Stored, ChunkKey Entry, string Row);

    private readonly Dictionary<string, Mistaken> mistaken = [];

    /// <returns>Why nothing is put back; null where every place can be settled.</returns>
    public async ValueTask<Proposal.Refused?> Doubt(IReadOnlyList<string> places, CancellationToken cancellationToken)
    {
        if (await Pointers(cancellationToken) is not { } pointers)
            return Left("the rows that refer to the values cannot all be read");
        var stored = await Stored(places, cancellationToken);
        foreach (var place in places)
        {
            if (await roots.Of(Tid.Parse(place), cancellationToken) is not { } root || !stored.TryGetValue(place, out var now)
                || await index.Hear(new HashSet<Tid> { root }, view, patient, cancellationToken) is not { } heard
                || heard.GetValueOrDefault(root) is not [var entry] || Parse(entry.Key) is not { } known)
                return Left($"chunk {place} cannot be compared with the one entry that leads to it");
            var entryFits = await Fits(known, place, pointers, cancellationToken);
            var chunkFits = await Fits(now, place, pointers, cancellationToken);
            if (entryFits is null && chunkFits is not null)
                return new Proposal.Refused($"chunk {place} is {Say(now)} as row {chunkFits} wants it: the entry is what is wrong");
            if (entryFits is null || chunkFits is not null)
                return Left($"chunk {place} is {Say(now)}, its entry says {Say(known)}, and the rows refer to {(entryFits is null ? "neither" : "both")}");
            mistaken[place] = new Mistaken(now, known, entryFits);
        }
        return null;
    }

    public ValueVerdict Settle(byte[] page, string place)
    {
        var tid = Tid.Parse(place);
        var line = LinePointer.Read(page, tid.Item);
        if (!HeapPageInspector.IsReadable(page, line))
            return new ValueVerdict(null, $"chunk {place} cannot be read on its page", Doubt: true);
        var at = line.Offset + HeapTupleHeader.Read(page.AsSpan(line.Offset, line.Length)).DataStart;
        var (stored, entry, row) = mistaken[place];
        var (before, after) = (Bytes(stored), Bytes(entry));
        return !page.AsSpan(at, before.Length).SequenceEqual(before) ? new ValueVerdict(null, $"chunk {place} was changed, and is not on disk yet", Doubt: true)
            : new ValueVerdict(new Correction(FlawKind.None, tid.Item, at, before, after, Basis.Testimony,
                [
                    new Witness($"index {index.Index.Name}", true, $"the entry that leads to chunk {place} says {Say(entry)}"),
                    new Witness("pointer", true, $"row {row} wants {Say(entry)}, and no other chunk is that"),
                ],
                $"chunk {place} is {Say(entry)} again, not {Say(stored)}"), null);
    }

    private static Proposal.Refused Left(string why) =>
        new($"{why}: the index may be the last that knows which value the chunk belongs to, so it is not rebuilt", Final: true);

    /// <returns>A row that wants this chunk, when no other chunk is it already.</returns>
    private async ValueTask<string?> Fits(ChunkKey key, string place, ILookup<uint, RowPointer> pointers, CancellationToken cancellationToken) =>
        pointers[key.Value].FirstOrDefault(pointer => key.Number >= 0 && key.Number < pointer.Says.ChunkCount) is { } pointer
        && (await Ask<int>($"SELECT 1 FROM ONLY {Quote.Name(toast)} t WHERE t.chunk_id = $1 AND t.chunk_seq = $2 AND t.ctid OPERATOR(pg_catalog.<>) $3::pg_catalog.tid LIMIT 1",
            _ => 0, cancellationToken, key.Value, key.Number, place)).Count == 0
            ? pointer.Row.ToString() : null;

    private async ValueTask<ILookup<uint, RowPointer>?> Pointers(CancellationToken cancellationToken)
    {
        using var search = await PageSearch.Of(patient, cancellationToken);
        return search is { IsCurrent: true } && patient.Relations.Find(toast.TableOid) is { Path: not null, Pages: <= PageSearch.MostBlocks } table
            && await RowPointers.Of(table, search, patient, cancellationToken) is { } pointers
            ? pointers.ToLookup(pointer => pointer.Says.ValueId) : null;
    }

    private async ValueTask<Dictionary<string, ChunkKey>> Stored(IReadOnlyList<string> places, CancellationToken cancellationToken) =>
        (await Ask($"SELECT t.ctid::pg_catalog.text, t.chunk_id, t.chunk_seq FROM ONLY {Quote.Name(toast)} t WHERE t.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[])",
            row => (Place: row.GetString(0), Key: new ChunkKey(row.GetFieldValue<uint>(1), row.GetInt32(2))), cancellationToken, (object)places.ToArray()))
        .ToDictionary(found => found.Place, found => found.Key);

    private ValueTask<IReadOnlyList<T>> Ask<T>(string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object[] values) =>
        patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(sql, read, cancellationToken, values), cancellationToken);

    /// <summary>A key as <see cref="StoredForm.Hex(uint, ReadOnlySpan{byte})"/> writes it: value and number in network order.</summary>
    private static ChunkKey? Parse(string key) =>
        key.Split('.') is [{ Length: 8 } value, { Length: 8 } number]
        && uint.TryParse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var id)
        && uint.TryParse(number, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var at)
            ? new ChunkKey(id, (int)at) : null;

    private static byte[] Bytes(ChunkKey key)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, key.Value);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), key.Number);
        return bytes;
    }

    private static string Say(ChunkKey key) => string.Create(CultureInfo.InvariantCulture, $"number {key.Number} of value {key.Value}");
}
