using System.Globalization;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>A value as its chunks lie in the TOAST table.</summary>
/// <param name="Head">The first four bytes in hex: of a compressed value the length that it unpacks to (toast_compression.h).</param>
internal sealed record ChunkedValue(uint Id, long Chunks, long Bytes, long LastChunk, string? Head)
{
    /// <summary>Whether a pointer of these sizes can be for this value.</summary>
    public bool Fits(ToastPointer pointer) =>
        Bytes == pointer.StoredSize && Chunks == pointer.ChunkCount && LastChunk == Chunks - 1
        && (!pointer.IsCompressed || Unpacked == pointer.RawSize - 4);

    /// <summary>Since 14 the two highest bits say how it was compressed.</summary>
    private int? Unpacked => Head is { Length: 8 } && uint.TryParse(Head, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var stored)
        ? (int)(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(stored) & ToastPointer.SizeLimit) : null;
}

/// <summary>All values of a TOAST table that the server sees, from its heap alone.</summary>
internal static class ToastInventory
{
    public static async ValueTask<IReadOnlyDictionary<uint, ChunkedValue>> Of(Relation toast, IReadSession session, CancellationToken cancellationToken) =>
        (await session.InTransaction(Evidence.Settings(null), inside => inside.Rows(
            "SELECT chunk_id, pg_catalog.count(*), pg_catalog.sum(pg_catalog.octet_length(chunk_data))::pg_catalog.int8, pg_catalog.max(chunk_seq)::pg_catalog.int8, "
            + "pg_catalog.min(CASE WHEN chunk_seq = 0 THEN pg_catalog.encode(pg_catalog.substr(chunk_data, 1, 4), 'hex') END) "
            + $"FROM {Quote.Name(toast)} GROUP BY chunk_id",
            row => new ChunkedValue(row.GetFieldValue<uint>(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.IsDBNull(4) ? null : row.GetString(4)),
            cancellationToken), cancellationToken)).ToDictionary(value => value.Id);
}
