using System.Buffers.Binary;

namespace Kintsugi.Pages.Files;

/// <summary>pg_filenode.map: the files of the catalogs that must be found before any catalog is read (relmapper.c).</summary>
public sealed record RelationMap
{
    /// <summary>Magic number of the file.</summary>
    public const uint Magic = 0x592717;

    private const int Header = 8;
    private const int EntrySize = 8;
    private const int LengthTo15 = 512;
    private const int LengthFrom16 = 524;

    /// <summary>File number of each mapped catalog, by its OID.</summary>
    public required IReadOnlyDictionary<uint, uint> Files { get; init; }

    /// <summary>The file as a server of that major writes it.</summary>
    public static byte[] Write(IReadOnlyDictionary<uint, uint> files, int major)
    {
        var file = new byte[major >= 16 ? LengthFrom16 : LengthTo15];
        var crcAt = major >= 16 ? LengthFrom16 - 4 : LengthTo15 - 8;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Count, (crcAt - Header) / EntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(file, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), files.Count);
        var at = Header;
        foreach (var (oid, number) in files.OrderBy(pair => pair.Key))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), oid);
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at + 4), number);
            at += EntrySize;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(crcAt), Crc32C.Compute(file.AsSpan(0, crcAt)));
        return file;
    }

    /// <summary>Reads the file and adds what is wrong with it; null when nothing in it can be believed.</summary>
    public static RelationMap? Read(ReadOnlySpan<byte> file, ICollection<Flaw> flaws)
    {
        if (file.Length is not (LengthTo15 or LengthFrom16))
        {
            flaws.Add(new Flaw(FlawKind.FileLength, file.Length, Actual: file.Length, Expected: LengthFrom16));
            return null;
        }
        var crcAt = file.Length == LengthTo15 ? LengthTo15 - 8 : LengthFrom16 - 4;
        var most = (crcAt - Header) / EntrySize;
        var magic = LittleEndian.U32(file, 0);
        var count = LittleEndian.I32(file, 4);
        if (magic != Magic) flaws.Add(new Flaw(FlawKind.FileMagic, 0, Actual: magic, Expected: Magic));
        if (count < 0 || count > most) flaws.Add(new Flaw(FlawKind.FieldImpossible, 4, Actual: count, Expected: most));
        var stored = LittleEndian.U32(file, crcAt);
        var computed = Crc32C.Compute(file[..crcAt]);
        if (stored != computed) flaws.Add(new Flaw(FlawKind.FileChecksum, crcAt, Actual: stored, Expected: computed));
        if (magic != Magic || count < 0 || count > most) return null;
        var files = new Dictionary<uint, uint>(count);
        for (var index = 0; index < count; index++)
        {
            var at = Header + index * EntrySize;
            if (!files.TryAdd(LittleEndian.U32(file, at), LittleEndian.U32(file, at + 4)))
                flaws.Add(new Flaw(FlawKind.FieldImpossible, at, Actual: LittleEndian.U32(file, at)));
        }
        return new RelationMap { Files = files };
    }
}
