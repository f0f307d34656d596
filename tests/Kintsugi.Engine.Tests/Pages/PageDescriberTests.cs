using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Description;
using Kintsugi.Pages.Heap;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class PageDescriberTests
{
    [Theory]
    [InlineData("heap-hot", "heap")]
    [InlineData("btree-meta", "btree")]
    [InlineData("btree-leaf", "btree")]
    [InlineData("btree-inner", "btree")]
    [InlineData("gin-entries", "gin")]
    [InlineData("gin-tree-leaf", "gin")]
    [InlineData("gin-tree-inner", "gin")]
    [InlineData("gin-pending", "gin")]
    [InlineData("gist-leaf", "gist")]
    [InlineData("spgist-leaf", "spgist")]
    [InlineData("hash-bucket", "hash")]
    [InlineData("brin-map", "brin")]
    [InlineData("brin-summaries", "brin")]
    [InlineData("sequence", "sequence")]
    [InlineData("vm", "visibility map", 2)]
    [InlineData("fsm", "free space map", 1)]
    public void Recognises_a_page_and_takes_it_apart(string name, string kind, int fork = 0)
    {
        var block = name.EndsWith("-meta", StringComparison.Ordinal) || name == "heap-hot" ? 0u : 100_000u;

        var description = PageDescriber.Describe(
            Captured.Page(name), new PageSubject { Block = block, Fork = fork, HasChecksums = false });

        Assert.Equal(kind, description.Kind);
        Assert.Empty(description.Flaws);
        Assert.Equal("header", description.Root.Fields[0].Name);
        Assert.True(description.Root.Fields.Count > 1);
        Assert.All(All(description.Root), field => Assert.InRange(field.At + field.Length, -1, PageFormat.Size));
    }

    [Fact]
    public void Shows_the_columns_of_a_row_by_name()
    {
        var subject = new PageSubject
        {
            Block = 0,
            Heap = new HeapExpectations { Columns = Captured.HotColumns },
            ColumnNames = ["id", "v", "pad"],
        };

        var item = PageDescriber.Describe(Captured.Page("heap-hot"), subject).Root.Fields.First(field => field.Fields.Any(
            column => column is { Name: "pad", Value: "'pppppppppppppppppppppppppppppppppppppppp' … 50 bytes" }));

        var mask = item.Fields.Single(field => field.Name == "t_infomask");
        Assert.Contains("xmin", mask.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_what_is_wrong_where_it_is_wrong()
    {
        var page = Captured.Page("heap-hot");
        var item = HeapPageInspectorTests.PlainItem(page);
        page[LinePointer.Read(page, item).Offset + 22] = 32;

        var description = PageDescriber.Describe(page, new PageSubject { Block = 0 });

        var checksum = description.Root.Fields[0].Fields.Single(field => field.Name == "pd_checksum");
        Assert.Contains("the bytes give", Assert.Single(checksum.Wrong), StringComparison.Ordinal);
        var wrong = description.Root.Fields.Single(field => field.Name == $"item {item}").Wrong;
        Assert.Equal($"item {item}: data should begin at byte 24, but t_hoff says 32", Assert.Single(wrong));
    }

    [Fact]
    public void Shows_a_tuple_whose_line_pointer_was_lost()
    {
        var page = Captured.Page("heap-hot");
        var item = HeapPageInspectorTests.PlainItem(page);
        page.AsSpan(LinePointer.Position(item), 4).Clear();

        var description = PageDescriber.Describe(page, new PageSubject
        {
            Block = 0, HasChecksums = false, Heap = new HeapExpectations { Columns = Captured.HotColumns },
        });

        Assert.Equal($"it was item {item}", description.Root.Fields.Single(field => field.Name == "lost tuple").Value);
    }

    [Fact]
    public void Describes_any_bytes() =>
        Gen.Select(Gen.Byte.Array[PageFormat.Size], Gen.Int[0, 2], Gen.Int[0, 24], Gen.Int[0, 8192])
        .Sample((bytes, fork, from, to) =>
        {
            var page = Captured.Page("heap-hot");
            if (from < to) bytes.AsSpan(from, to - from).CopyTo(page.AsSpan(from));
            var description = PageDescriber.Describe(page, new PageSubject { Block = 0, Fork = fork });
            Assert.NotEmpty(description.Kind);
        }, iter: 300);

    private static IEnumerable<PageField> All(PageField field) => field.Fields.SelectMany(All).Append(field);
}
