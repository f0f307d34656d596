using System.Buffers.Binary;
using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class IndexTidsTests
{
    private static readonly Dictionary<string, (IndexKind Kind, IndexPageRole Role)> Pages = new()
    {
        ["btree-meta"] = (IndexKind.Btree, IndexPageRole.Meta),
        ["btree-leaf"] = (IndexKind.Btree, IndexPageRole.Leaf),
        ["btree-plain"] = (IndexKind.Btree, IndexPageRole.Leaf),
        ["btree-inner"] = (IndexKind.Btree, IndexPageRole.Inner),
        ["gin-meta"] = (IndexKind.Gin, IndexPageRole.Meta),
        ["gin-entries"] = (IndexKind.Gin, IndexPageRole.Leaf),
        ["gin-tree-leaf"] = (IndexKind.Gin, IndexPageRole.Leaf),
        ["gin-tree-inner"] = (IndexKind.Gin, IndexPageRole.Inner),
        ["gin-pending"] = (IndexKind.Gin, IndexPageRole.Pending),
        ["gist-leaf"] = (IndexKind.Gist, IndexPageRole.Leaf),
        ["gist-inner"] = (IndexKind.Gist, IndexPageRole.Inner),
        ["spgist-leaf"] = (IndexKind.SpGist, IndexPageRole.Leaf),
        ["spgist-inner"] = (IndexKind.SpGist, IndexPageRole.Inner),
        ["hash-meta"] = (IndexKind.Hash, IndexPageRole.Meta),
        ["hash-bucket"] = (IndexKind.Hash, IndexPageRole.Leaf),
        ["brin-meta"] = (IndexKind.Brin, IndexPageRole.Meta),
        ["brin-map"] = (IndexKind.Brin, IndexPageRole.Map),
        ["brin-summaries"] = (IndexKind.Brin, IndexPageRole.Leaf),
    };

    public static TheoryData<string> Names => [.. Pages.Keys];

    public static TheoryData<string> WithLinePointers => ["btree-leaf", "btree-plain", "btree-inner", "gin-entries",
        "gin-pending", "gist-leaf", "gist-inner", "spgist-leaf", "hash-bucket", "brin-summaries"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Knows_a_real_page_and_finds_nothing_wrong_with_it(string name)
    {
        var content = Read(name, Captured.Page(name));

        Assert.Equal(Pages[name].Role, content.Role);
        Assert.Empty(content.Flaws);
        Assert.Equal(Pages[name].Kind, IndexKinds.Detect(Captured.Page(name)));
        Assert.True(content.IsTrustworthy);
        var leads = Pages[name].Kind != IndexKind.Brin && content.Role is IndexPageRole.Leaf or IndexPageRole.Pending;
        Assert.Equal(leads, content.Rows.Count > 0);
    }

    [Fact]
    public void Rows_of_posting_lists_are_all_found()
    {
        // pageinspect counts as many with bt_page_items and gin_leafpage_items.
        Assert.Equal(BtreeLeafRows, Read("btree-leaf", Captured.Page("btree-leaf")).Rows.Count);
        Assert.Equal(GinLeafRows, Read("gin-tree-leaf", Captured.Page("gin-tree-leaf")).Rows.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_page_of_another_access_method_is_not_believed(string name)
    {
        foreach (var kind in Enum.GetValues<IndexKind>().Where(kind => kind != Pages[name].Kind))
        {
            var content = new IndexPageContent();
            IndexTids.Read(kind, Captured.Page(name), name.EndsWith("meta", StringComparison.Ordinal) ? 0u : 1u, content);

            Assert.False(content.IsTrustworthy, $"{name} was taken for {kind}");
        }
    }

    [Theory]
    [MemberData(nameof(WithLinePointers))]
    public void An_entry_removed_without_its_bytes_leaves_a_gap(string name)
    {
        var page = Captured.Page(name);
        var header = PageHeader.Read(page);
        var first = LinePointer.Position(2);
        page.AsSpan(first + 4, header.Lower - first - 4).CopyTo(page.AsSpan(first));
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(12), (ushort)(header.Lower - 4));

        Assert.Contains(Read(name, page).Flaws, flaw => flaw.Kind == FlawKind.ItemGap);
    }

    [Theory]
    [InlineData("btree-plain", FlawKind.HeapTidImpossible)]
    [InlineData("gist-leaf", FlawKind.HeapTidImpossible)]
    [InlineData("hash-bucket", FlawKind.HeapTidImpossible)]
    public void An_entry_that_can_be_no_row_is_seen(string name, FlawKind expected)
    {
        var page = Captured.Page(name);
        var line = LinePointer.Read(page, 3);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(line.Offset + 4), 0);

        Assert.Contains(Read(name, page).Flaws, flaw => flaw.Kind == expected && flaw.Item == 3);
    }

    [Fact]
    public void Swapped_entries_of_a_hash_bucket_are_seen()
    {
        var page = Captured.Page("hash-bucket");
        var first = page.AsSpan(LinePointer.Position(1), 4).ToArray();
        var last = LinePointer.Position(PageHeader.Read(page).ItemCount);
        page.AsSpan(last, 4).CopyTo(page.AsSpan(LinePointer.Position(1)));
        first.CopyTo(page.AsSpan(last));

        Assert.Contains(Read("hash-bucket", page).Flaws, flaw => flaw.Kind == FlawKind.KeyOutOfOrder);
    }

    [Fact]
    public void An_all_zero_page_is_new_and_not_a_flaw()
    {
        foreach (var kind in Enum.GetValues<IndexKind>())
        {
            var content = new IndexPageContent();
            IndexTids.Read(kind, new byte[PageFormat.Size], 3, content);
            Assert.Equal(IndexPageRole.New, content.Role);
            Assert.Empty(content.Rows);
        }
    }

    [Fact]
    public void Never_throws_on_random_bytes_under_a_good_header() =>
        Gen.Select(Gen.Byte.Array[PageFormat.Size], SomeName).Sample((bytes, name) =>
        {
            var page = Captured.Page(name);
            bytes.AsSpan(24, PageHeader.Read(page).Special - 24).CopyTo(page.AsSpan(24));
            Survive(name, page);
        }, iter: 1000);

    [Fact]
    public void Never_throws_on_flipped_bits_of_good_pages() =>
        Gen.Select(SomeName, Gen.Int[0, PageFormat.Size * 8 - 1].Array[1, 30]).Sample((name, bits) =>
        {
            var page = Captured.Page(name);
            foreach (var bit in bits) page[bit / 8] ^= (byte)(1 << (bit % 8));
            Survive(name, page);
        }, iter: 3000);

    // What the server's own functions count on the captured pages.
    private const int BtreeLeafRows = 1070;
    private const int GinLeafRows = 6107;

    private static readonly Gen<string> SomeName = Gen.Int[0, Pages.Count - 1].Select(index => Pages.Keys.ElementAt(index));

    private static void Survive(string name, byte[] page)
    {
        var content = Read(name, page);
        Assert.True(content.Rows.Count < 70_000);
        Assert.All(content.Rows, row => Assert.True(row.Tid.IsPossible));
    }

    private static IndexPageContent Read(string name, byte[] page)
    {
        var content = new IndexPageContent();
        IndexTids.Read(Pages[name].Kind, page, Block(name), content);
        return content;
    }

    private static uint Block(string name) => name.EndsWith("-meta", StringComparison.Ordinal) ? 0u
        : name is "spgist-inner" or "brin-map" ? 1u : 100_000u;
}
