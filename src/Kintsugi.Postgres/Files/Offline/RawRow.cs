using System.Buffers.Binary;
using System.Text;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>The fixed-width first columns of a catalog row, by byte offset: all that is needed to find files and name
/// them.</summary>
internal readonly ref struct RawRow(ReadOnlySpan<byte> tuple, in HeapTupleHeader head)
{
    private readonly ReadOnlySpan<byte> data = tuple[head.DataStart..];
    private readonly HeapTupleHeader head = head;

    /// <summary>The whole row version, for the columns behind the fixed ones.</summary>
    public ReadOnlySpan<byte> Tuple { get; } = tuple;

    /// <summary>Whether a column (from 0) is null.</summary>
    public bool IsNull(int column) => column >= head.AttributeCount || head.IsNull(Tuple, column);

    public ReadOnlySpan<byte> Rest(int at) => data[at..];

    public bool Reaches(int end) => data.Length >= end;
    public uint Oid(int at) => BinaryPrimitives.ReadUInt32LittleEndian(data[at..]);
    public int Int(int at) => BinaryPrimitives.ReadInt32LittleEndian(data[at..]);
    public short Short(int at) => BinaryPrimitives.ReadInt16LittleEndian(data[at..]);
    public float Real(int at) => BinaryPrimitives.ReadSingleLittleEndian(data[at..]);
    public bool Bool(int at) => data[at] != 0;
    public char Char(int at) => (char)data[at];

    /// <summary>Type name: 64 bytes, ended by a zero.</summary>
    public string Name(int at)
    {
        var bytes = data.Slice(at, 64);
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}

internal delegate T RowReader<out T>(RawRow row);

/// <summary>Reads the live rows of a catalog straight from its file. Pages that cannot be believed give no rows.</summary>
internal sealed class RawTable(LocalFiles files, TransactionLog transactions)
{
    private const int PagesAtOnce = 16;

    /// <param name="path">The first segment: no catalog of sane size has a second.</param>
    /// <param name="width">Bytes of a row that are read.</param>
    /// <param name="read">Takes a row apart.</param>
    /// <param name="cancellationToken">Between pages.</param>
    public async ValueTask<List<T>> Read<T>(string path, int width, RowReader<T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        using var pages = ReadBuffer.Rent(PagesAtOnce * PageFormat.Size);
        for (var block = 0u; ;)
        {
            var whole = await files.Read(path, (long)block * PageFormat.Size, pages.Bytes, cancellationToken) / PageFormat.Size;
            for (var i = 0; i < whole; i++, block++)
                ReadPage(pages.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size), block, width, read, rows);
            if (whole < PagesAtOnce)
                return rows;
        }
    }

    private void ReadPage<T>(ReadOnlySpan<byte> page, uint block, int width, RowReader<T> read, List<T> rows)
    {
        var header = PageHeader.Read(page);
        if (!header.IsPossible)
            return;
        for (var item = 1; item <= header.ItemCount; item++)
        {
            var line = LinePointer.Read(page, item);
            if (line.State != LinePointerState.Normal || !line.IsReadable(page) || line.Length < HeapTupleHeader.MinimumSize)
                continue;
            var tuple = page.Slice(line.Offset, line.Length);
            var head = HeapTupleHeader.Read(tuple);
            if (head.DataStart > tuple.Length || !transactions.IsLive(head, new Tid(block, item)))
                continue;
            var row = new RawRow(tuple, head);
            if (row.Reaches(width))
                rows.Add(read(row));
        }
    }
}
