namespace Kintsugi.Pages.Wal;

/// <summary>Takes the block references of a record apart (DecodeXLogRecord in xlogreader.c).</summary>
internal static class WalRecordDecoder
{
    private const int HighestBlockId = 32;
    private const int ShortData = 255;
    private const int LongData = 254;
    private const int Origin = 253;
    private const int TopLevelXid = 252;

    /// <summary>Fills <paramref name="blocks"/>; false when the record contradicts itself.</summary>
    /// <param name="record">The whole record.</param>
    /// <param name="major">Major version of the server that wrote it: the image's flags changed in 15.</param>
    /// <param name="blocks">Receives the references.</param>
    public static bool Decode(ReadOnlySpan<byte> record, int major, List<WalBlockReference> blocks)
    {
        blocks.Clear();
        var at = WalRecord.HeaderSize;
        long data = 0;
        BlockAddress last = default;
        while (record.Length - at > data)
        {
            var id = record[at];
            var size = id switch { ShortData => 2, LongData => 5, Origin => 3, TopLevelXid => 5, _ => 4 };
            if (at + size > record.Length || size == 4 && id > HighestBlockId) return false;
            if (id is ShortData or LongData)
            {
                data += id == ShortData ? record[at + 1] : LittleEndian.U32(record, at + 1);
                at += size;
                break;
            }
            if (size == 4 && !Reference(record, major, ref at, ref last, ref data, blocks)) return false;
            if (size != 4) at += size;
        }
        return at + data == record.Length && PlaceImages(at, record.Length, blocks);
    }

    private static bool Reference(
        ReadOnlySpan<byte> record, int major, ref int at, ref BlockAddress last, ref long data, List<WalBlockReference> blocks)
    {
        int id = record[at], flags = record[at + 1], length = LittleEndian.U16(record, at + 2);
        at += 4;
        data += length;
        int image = 0, hole = 0, holeLength = 0, info = 0;
        var hasImage = (flags & 0x10) != 0;
        if (hasImage)
        {
            if (at + 5 > record.Length) return false;
            (image, hole, info) = (LittleEndian.U16(record, at), LittleEndian.U16(record, at + 2), record[at + 4]);
            at += 5;
            data += image;
            if ((info & 1) != 0 && Compression(info, major) != 0)
            {
                if (at + 2 > record.Length) return false;
                holeLength = LittleEndian.U16(record, at);
                at += 2;
            }
            else if ((info & 1) != 0) holeLength = PageFormat.Size - image;
            if (holeLength < 0 || hole + holeLength > PageFormat.Size) return false;
        }
        if ((flags & 0x80) == 0)
        {
            if (at + 12 > record.Length) return false;
            last = new(LittleEndian.U32(record, at), LittleEndian.U32(record, at + 4), LittleEndian.U32(record, at + 8), 0, 0);
            at += 12;
        }
        if (at + 4 > record.Length) return false;
        var address = last with { Fork = flags & 0xF, Block = LittleEndian.U32(record, at) };
        at += 4;
        var applies = hasImage && (info & (major >= 15 ? 2 : 4)) != 0;
        blocks.Add(new WalBlockReference(id, address, (flags & 0x40) != 0, hasImage, applies, 0, image, hole, holeLength,
            hasImage ? Compression(info, major) : 0, length));
        return true;
    }

    // Behind all references stand, block by block, its image and then its data.
    private static bool PlaceImages(int at, int end, List<WalBlockReference> blocks)
    {
        for (var index = 0; index < blocks.Count; index++)
        {
            blocks[index] = blocks[index] with { ImageAt = at };
            at += blocks[index].ImageLength + blocks[index].DataLength;
        }
        return at <= end;
    }

    private static int Compression(int info, int major) => info & (major >= 15 ? 0x1C : 0x02);
}
