using System.Data.Common;
using System.Runtime.InteropServices;

namespace Kintsugi.Postgres.Sessions;

/// <summary>Bytes of a row, put where they are wanted: an array for each page would be as much garbage as there are pages.</summary>
internal static class RowBytes
{
    /// <returns>Bytes that were put there; 0 for NULL.</returns>
    public static int CopyTo(this DbDataReader row, int column, Memory<byte> buffer)
    {
        if (row.IsDBNull(column))
            return 0;
        return MemoryMarshal.TryGetArray((ReadOnlyMemory<byte>)buffer, out var room)
            ? (int)row.GetBytes(column, 0, room.Array, room.Offset, room.Count)
            : throw new ArgumentException("bytes of a row go into memory of the garbage collector", nameof(buffer));
    }
}
