using System.Buffers.Binary;

namespace Kintsugi.Pages.Files;

/// <summary>
/// Writes global/pg_control of 13-18 from what is known from elsewhere (ControlFileData, src/include/catalog/pg_control.h): the latest checkpoint's
/// record holds the part that changes, and the rest is the same in every cluster of a major that was built as all packages are.
/// </summary>
public sealed record ControlFileText
{
    private const int CheckpointAt = 40;

    /// <summary>Bytes of a checkpoint (CheckPoint), in its record and in the control file.</summary>
    public const int CheckpointSize = 88;

    /// <summary>Bytes that a server mixes into the answer for roles that do not exist.</summary>
    public const int NonceSize = 32;

    /// <summary>
    /// What unlogged GiST indexes count their changes from (1000 in a new cluster): it must lie beyond every number that was handed out, and they are
    /// handed out one by one.
    /// </summary>
    private const ulong UnloggedLsn = 1ul << 40;

    public required int Major { get; init; }
    public required ulong SystemIdentifier { get; init; }
    public required ClusterState State { get; init; }

    /// <summary>Where the checkpoint's record stands.</summary>
    public required ulong Checkpoint { get; init; }

    /// <summary>The record's data.</summary>
    public required ReadOnlyMemory<byte> CheckpointData { get; init; }
    public required uint WalSegmentSize { get; init; }
    public required bool Checksums { get; init; }
    public required bool CommitTimestamps { get; init; }
    public required ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>char is signed where this cluster was made (from 18 on).</summary>
    public required bool SignedChar { get; init; }

    /// <summary>Layout of the catalogs that each released major has (catversion.h).</summary>
    public static uint CatalogVersionOf(int major) => major switch
    {
        13 => 202007201,
        14 => 202107181,
        15 => 202209061,
        16 => 202307071,
        17 => 202406281,
        18 => 202506291,
        _ => 0,
    };

    private uint Version => Major switch { >= 18 => 1800, 17 => 1700, _ => 1300 };

    public byte[] Write()
    {
        if (CheckpointData.Length != CheckpointSize || Nonce.Length != NonceSize || CatalogVersionOf(Major) == 0)
            throw new ArgumentException("a checkpoint has 88 bytes, a nonce 32, and the major is one of 13 to 18");
        var file = new byte[ControlFile.FileSize];
        U64(file, 0, SystemIdentifier);
        U32(file, 8, Version);
        U32(file, 12, CatalogVersionOf(Major));
        U32(file, 16, (uint)State);
        CheckpointData.Span.Slice(104 - CheckpointAt, 8).CopyTo(file.AsSpan(24));
        U64(file, 32, Checkpoint);
        CheckpointData.Span.CopyTo(file.AsSpan(CheckpointAt));
        U64(file, 128, UnloggedLsn);
        Settings(file);
        U32(file, 204, 8);
        BinaryPrimitives.WriteDoubleLittleEndian(file.AsSpan(208), 1234567.0);
        Sizes(file);
        U32(file, 252, Checksums ? 1u : 0);
        var nonceAt = 256;
        if (Major >= 18)
            file[nonceAt++] = SignedChar ? (byte)1 : (byte)0;
        Nonce.Span.CopyTo(file.AsSpan(nonceAt));
        var crcAt = Major >= 18 ? 292 : 288;
        U32(file, crcAt, Crc32C.Compute(file.AsSpan(0, crcAt)));
        return file;
    }

    /// <summary>As initdb leaves them: a primary writes its own at the next start, and records the change for its standbys.</summary>
    private void Settings(byte[] file)
    {
        U32(file, 172, 1);
        U32(file, 180, 100);
        U32(file, 184, 8);
        U32(file, 188, 10);
        U32(file, 192, 0);
        U32(file, 196, 64);
        file[200] = CommitTimestamps ? (byte)1 : (byte)0;
    }

    /// <summary>blcksz, relseg_size, xlog_blcksz, xlog_seg_size, NAMEDATALEN, INDEX_MAX_KEYS, TOAST_MAX_CHUNK_SIZE, LOBLKSIZE, float8ByVal.</summary>
    private void Sizes(byte[] file)
    {
        U32(file, 216, PageFormat.Size);
        U32(file, 220, PageFormat.BlocksPerSegment);
        U32(file, 224, PageFormat.Size);
        U32(file, 228, WalSegmentSize);
        U32(file, 232, 64);
        U32(file, 236, 32);
        U32(file, 240, 1996);
        U32(file, 244, 2048);
        file[248] = 1;
    }

    private static void U32(byte[] file, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), value);

    private static void U64(byte[] file, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), value);
}
