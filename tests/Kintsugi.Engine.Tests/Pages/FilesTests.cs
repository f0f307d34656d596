using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class FilesTests
{
    [Fact]
    public void The_checksum_is_that_of_the_standard() =>
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void A_checksum_of_two_parts_is_that_of_the_whole() =>
        Gen.Select(Gen.Byte.Array, Gen.Byte.Array).Sample((first, second) =>
            Assert.Equal(Crc32C.Compute([.. first, .. second]), Crc32C.Compute(first, second)));

    // What pg_control_checkpoint() and pg_control_system() say on the same clusters.
    [Theory]
    [InlineData("control-13", 1300, 202007201, 7711257527690114549, 0xA566450, 572, 478)]
    [InlineData("control-15", 1300, 202209061, 7711257546310870632, 0xA5005E0, 811, 716)]
    [InlineData("control-18", 1800, 202506291, 7711257564863588031, 0xA515850, 840, 744)]
    public void Reads_the_control_file(
        string name, uint version, uint catalog, ulong system, ulong checkpoint, uint next, uint oldest)
    {
        var flaws = new List<Flaw>();

        var control = ControlFile.Read(Captured.Page(name), flaws)!;

        Assert.Empty(flaws);
        Assert.Equal((version, catalog, system), (control.ControlVersion, control.CatalogVersion, control.SystemIdentifier));
        Assert.Equal((checkpoint, next, oldest), (control.Checkpoint, control.NextXid, control.OldestXid));
        Assert.Equal(
            (24576u, 4u, 7u, 1u), (control.NextOid, control.NextMulti, control.NextMultiOffset, control.ChecksumVersion));
        Assert.Equal((8192u, 16777216u, ClusterState.InProduction), (control.BlockSize, control.WalSegmentSize, control.State));
        Assert.True(control is { IsCrcRight: true, FullPageWrites: true, Timeline: 1, SegmentBlocks: 131072 });
    }

    [Theory]
    [InlineData("control-13")]
    [InlineData("control-18")]
    public void A_flipped_bit_of_the_control_file_is_seen(string name) =>
        Gen.Int[0, 280 * 8].Where(bit => bit / 64 != 1).Sample(bit =>
        {
            var file = Captured.Page(name);
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            var flaws = new List<Flaw>();

            Assert.NotNull(ControlFile.Read(file, flaws));
            Assert.Contains(flaws, flaw => flaw.Kind == FlawKind.FileChecksum);
        }, iter: 200);

    [Fact]
    public void A_control_file_of_another_layout_is_not_guessed_at()
    {
        var file = Captured.Page("control-18");
        file[8] = 9;
        var flaws = new List<Flaw>();

        Assert.Null(ControlFile.Read(file, flaws));
        Assert.Equal(FlawKind.FileVersion, Assert.Single(flaws).Kind);
        Assert.Null(ControlFile.Read(file.AsSpan(0, 100), flaws));
    }

    [Theory]
    [InlineData("map-15", 48)]
    [InlineData("map-18", 46)]
    public void Reads_the_relation_map_and_sees_its_damage(string name, int count)
    {
        var file = Captured.Page(name);
        var flaws = new List<Flaw>();

        var map = RelationMap.Read(file, flaws)!;

        Assert.Empty(flaws);
        Assert.Equal(count, map.Files.Count);
        Assert.Equal(1262u, map.Files[1262]);
        file[40] ^= 1;
        RelationMap.Read(file, flaws);
        Assert.Contains(flaws, flaw => flaw.Kind == FlawKind.FileChecksum);
    }

    [Theory]
    [InlineData(3u, "0000", 0)]
    [InlineData(1048576u, "0001", 0)]
    [InlineData(uint.MaxValue, "0FFF", 262143)]
    public void Finds_the_place_of_a_transaction(uint xid, string file, int offset)
    {
        var place = CommitLog.PlaceOf(xid);

        Assert.Equal((file, offset), (place.FileName, place.Offset));
        Assert.Equal(XidOutcome.Unknown, CommitLog.Read([], xid));
    }

    [Fact]
    public void Reads_the_two_bits_of_each_transaction()
    {
        byte[] segment = [0b_11_10_01_00];

        Assert.Equal(
            [XidOutcome.InProgress, XidOutcome.Committed, XidOutcome.Aborted, XidOutcome.SubCommitted],
            Enumerable.Range(0, 4).Select(xid => CommitLog.Read(segment, (uint)xid)));
    }

    [Fact]
    public void Finds_the_place_of_multixact_members()
    {
        Assert.Equal(("0000", 20), (MultiXactLog.PlaceOfOffset(5).FileName, MultiXactLog.PlaceOfOffset(5).Offset));
        Assert.Equal(20 + 4 + 4, MultiXactLog.PlaceOfMember(5).Offset);
        Assert.Equal(21, MultiXactLog.PlaceOfStatus(5).Offset);
        Assert.Equal(8192 + 4, MultiXactLog.PlaceOfMember(1636).Offset);
        Assert.Equal("14078", MultiXactLog.PlaceOfMember(uint.MaxValue).FileName);
    }

    [Fact]
    public void The_visibility_map_may_not_say_frozen_without_visible()
    {
        var page = Captured.Page("vm");
        var flaws = new List<Flaw>();
        VisibilityMap.Inspect(page, 0, 400, flaws);
        Assert.Empty(flaws);
        Assert.Equal(VisibilityMap.AllVisible, VisibilityMap.Bits(page, 0) & VisibilityMap.AllVisible);

        page[VisibilityMap.Offset(9)] = 0b_01_01_10_01;
        VisibilityMap.Inspect(page, 0, 400, flaws);

        Assert.Equal((FlawKind.MapBitsImpossible, 9), (Assert.Single(flaws).Kind, (int)flaws[0].Expected));
        Assert.Equal(1u, VisibilityMap.MapBlock(32672));
    }

    [Fact]
    public void The_free_space_tree_is_checked()
    {
        var page = Captured.Page("fsm");
        var flaws = new List<Flaw>();
        FreeSpaceMap.Inspect(page, flaws);
        Assert.Empty(flaws);
        Assert.Equal((2u, 3u), (FreeSpaceMap.MapBlock(0), FreeSpaceMap.MapBlock(4069)));

        page[FreeSpaceMap.Offset(0)] ^= 0xFF;
        FreeSpaceMap.Inspect(page, flaws);

        Assert.Equal(FlawKind.FreeSpaceTree, Assert.Single(flaws).Kind);
    }

    [Fact]
    public void Reads_a_sequence()
    {
        var flaws = new List<Flaw>();
        var page = Captured.Page("sequence");

        Assert.Equal(new SequencePage(8, 31, true), SequencePage.Read(page, flaws));
        Assert.Empty(flaws);

        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(8184), 7);
        Assert.Null(SequencePage.Read(page, flaws));
        Assert.Equal(FlawKind.NotThisKind, Assert.Single(flaws).Kind);
    }

    [Fact]
    public void Reads_the_chunks_of_a_toast_table_and_sees_a_wrong_size()
    {
        var page = Captured.Page("toast");
        var line = LinePointer.Read(page, 1);
        var tuple = page.AsSpan(line.Offset, line.Length);

        Assert.True(ToastChunk.TryRead(tuple, out var chunk));
        Assert.Equal((0, ToastPointer.ChunkSize), (chunk.Sequence, chunk.DataLength));

        BinaryPrimitives.WriteUInt32LittleEndian(tuple[32..], (300 + 4) << 2);
        var flaws = new List<Flaw>();
        HeapPageInspector.Inspect(page, new HeapExpectations { Columns = ToastChunk.Columns() }, flaws);
        Assert.Contains(flaws, flaw => flaw is { Kind: FlawKind.TupleTailUnread, Item: 1 });
    }

    [Fact]
    public void No_bytes_make_a_reader_throw() =>
        Gen.Byte.Array[0, 9000].Sample(bytes =>
        {
            var flaws = new List<Flaw>();
            ControlFile.Read(bytes, flaws);
            RelationMap.Read(bytes, flaws);
            VisibilityMap.Inspect(bytes, 0, uint.MaxValue, flaws);
            FreeSpaceMap.Inspect(bytes, flaws);
            SequencePage.Read(bytes, flaws);
            ToastChunk.TryRead(bytes, out _, flaws);
            Assert.All(flaws, flaw => Assert.NotEmpty(flaw.Describe()));
        }, iter: 300);
}
