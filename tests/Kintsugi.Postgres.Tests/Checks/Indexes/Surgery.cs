using System.Buffers.Binary;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Indexes;

/// <summary>Wounds pages of a stopped server as memory or software would: each with the checksum that belongs to it.</summary>
internal sealed class Surgery(TestDatabase database)
{
    private readonly List<Action> wounds = [];

    /// <summary>Plans a change to a relation's file while the server still runs.</summary>
    public async Task<Surgery> On(string relation, Action<string> wound, CancellationToken cancellationToken)
    {
        var file = await StorageWard.FileOf(database, relation, cancellationToken);
        wounds.Add(() => wound(file));
        return this;
    }

    /// <summary>Stops the server, wounds all files and starts it again.</summary>
    public async Task Operate(CancellationToken cancellationToken)
    {
        await database.Execute("CHECKPOINT", cancellationToken);
        await database.Cluster.Stop(StopMode.Fast, cancellationToken);
        foreach (var wound in wounds)
            wound();
        await database.Cluster.Start(cancellationToken);
    }

    public async Task<Tid> PlaceOf(string table, string condition, CancellationToken cancellationToken)
    {
        var ctid = await database.Scalar<string>($"SELECT ctid::text FROM {table} WHERE {condition} ORDER BY ctid LIMIT 1", cancellationToken);
        var parts = ctid!.Trim('(', ')').Split(',');
        return new Tid(uint.Parse(parts[0]), int.Parse(parts[1]));
    }

    /// <summary>The index page and item that lead to a row.</summary>
    public static (long Page, IndexEntry Entry) Find(string file, IndexKind kind, Tid tid)
    {
        var content = new IndexPageContent();
        for (var block = 0L; block < Blocks(file); block++)
        {
            IndexTids.Read(kind, StorageWard.ReadPage(file, block), (uint)block, content);
            if (content.Rows.Exists(row => row.Tid == tid))
                return (block, content.Rows.Find(row => row.Tid == tid));
        }
        throw new InvalidOperationException($"no entry leads to {tid}");
    }

    /// <summary>Takes an entry away as PageIndexTupleDelete does, so that the page alone is sound.</summary>
    public static void Remove(string file, IndexKind kind, Tid tid)
    {
        var (block, entry) = Find(file, kind, tid);
        StorageWard.Alter(file, block, seal: true, page => RemoveItem(page, entry.Item));
    }

    /// <summary>Makes an entry lead elsewhere.</summary>
    public static void Redirect(string file, IndexKind kind, Tid from, Tid to)
    {
        var (block, entry) = Find(file, kind, from);
        StorageWard.Alter(file, block, seal: true, page => Write(page, entry.At, to));
    }

    public static void Truncate(string file, int blocks)
    {
        using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.Write);
        var before = RandomAccess.GetLength(handle);
        RandomAccess.SetLength(handle, before - ((long)blocks * PageFormat.Size));
    }

    public static long Blocks(string file) => new FileInfo(file).Length / PageFormat.Size;

    public static void Write(byte[] page, int at, Tid tid)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(at), (ushort)(tid.Block >> 16));
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(at + 2), (ushort)tid.Block);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(at + 4), (ushort)tid.Item);
    }

    public static void RemoveItem(byte[] page, int item)
    {
        var header = PageHeader.Read(page);
        var gone = LinePointer.Read(page, item);
        var length = PageFormat.Align(gone.Length);
        page.AsSpan(header.Upper, gone.Offset - header.Upper).CopyTo(page.AsSpan(header.Upper + length));
        page.AsSpan(LinePointer.Position(item + 1), header.Lower - LinePointer.Position(item + 1)).CopyTo(page.AsSpan(LinePointer.Position(item)));
        for (var other = 1; other < header.ItemCount; other++)
        {
            var line = LinePointer.Read(page, other);
            if (line.Offset < gone.Offset)
                BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(LinePointer.Position(other)), (line with { Offset = line.Offset + length }).Encode());
        }
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(12), (ushort)(header.Lower - PageFormat.LinePointerSize));
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(14), (ushort)(header.Upper + length));
    }

    /// <summary>Puts a copy of an item behind it that leads to another row.</summary>
    public static void Double(byte[] page, int item, Tid to)
    {
        var header = PageHeader.Read(page);
        var line = LinePointer.Read(page, item);
        var offset = header.Upper - PageFormat.Align(line.Length);
        Assert.True(offset >= header.Lower + PageFormat.LinePointerSize, "the page has no room for another entry");
        page.AsSpan(line.Offset, line.Length).CopyTo(page.AsSpan(offset));
        Write(page, offset, to);
        page.AsSpan(LinePointer.Position(item + 1), header.Lower - LinePointer.Position(item + 1)).CopyTo(page.AsSpan(LinePointer.Position(item + 2)));
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(LinePointer.Position(item + 1)), (line with { Offset = offset }).Encode());
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(12), (ushort)(header.Lower + PageFormat.LinePointerSize));
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(14), (ushort)offset);
    }

    public static void LosePointer(string file, Tid tid) => StorageWard.Alter(file, tid.Block, seal: true,
        page => page.AsSpan(LinePointer.Position(tid.Item), PageFormat.LinePointerSize).Clear());

    public static void Zero(string file, long block) => StorageWard.WritePage(file, block, new byte[PageFormat.Size]);
}
