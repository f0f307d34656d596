using System.Text;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class TupleReaderTests
{
    [Fact]
    public void Finds_the_values_of_a_real_row()
    {
        var page = Captured.Page("heap-wide");
        var found = 0;
        for (var item = 1; item <= PageHeader.Read(page).ItemCount; item++)
        {
            var pointer = LinePointer.Read(page, item);
            if (pointer.State != LinePointerState.Normal) continue;
            var tuple = page.AsSpan(pointer.Offset, pointer.Length);
            var slices = new AttributeSlice[Captured.WideColumns.Length];

            Assert.Equal(pointer.Length, TupleReader.Deform(tuple, Captured.WideColumns, slices));

            var id = BitConverter.ToInt64(slices[0].Data(tuple));
            Assert.Equal(id % 7 == 0, slices[3].Form == AttributeForm.Null);
            Assert.Equal($"b{id % 10}".PadRight(7), Encoding.UTF8.GetString(slices[9].Data(tuple)));
            Assert.StartsWith($"name{id}\0", Encoding.UTF8.GetString(slices[10].Data(tuple)), StringComparison.Ordinal);
            Assert.Equal($"drop{id}", Encoding.UTF8.GetString(slices[15].Data(tuple)));
            Assert.Equal(AttributeForm.Missing, slices[21].Form);
            found++;
        }
        Assert.True(found > 5);
    }

    [Fact]
    public void Finds_external_and_compressed_values()
    {
        var page = Captured.Page("heap-toasted");
        var pointer = LinePointer.Read(page, 1);
        var tuple = page.AsSpan(pointer.Offset, pointer.Length);
        var slices = new AttributeSlice[4];

        Assert.Equal(pointer.Length, TupleReader.Deform(tuple, Captured.BigColumns, slices));

        Assert.Equal(AttributeForm.External, slices[1].Form);
        var toast = ToastPointer.Read(slices[1].Data(tuple));
        Assert.True(toast.IsPossible);
        Assert.Equal(6404, toast.RawSize);
        Assert.Equal(17098u, toast.ToastRelation);
        Assert.Equal(4, toast.ChunkCount);
        Assert.Equal(6400 - 3 * 1996, toast.ChunkLength(3));
        Assert.Equal(AttributeForm.Compressed, slices[2].Form);
    }

    [Fact]
    public void A_lost_line_pointer_is_found_again_with_length_and_number()
    {
        var page = Captured.Page("heap-hot");
        var item = HeapPageInspectorTests.PlainItem(page);
        var before = LinePointer.Read(page, item);
        page.AsSpan(LinePointer.Position(item), 4).Clear();
        var lost = new List<LostTuple>();

        LostTuples.Find(page, HeapPageInspectorTests.Expected("heap-hot"), lost);

        var tuple = Assert.Single(lost);
        Assert.Equal((before.Offset, before.Length, true, item), (tuple.Offset, tuple.Length, tuple.IsExact, tuple.Item));
    }

    [Fact]
    public void Two_neighbours_lost_together_are_told_apart()
    {
        var page = Captured.Page("heap-hot");
        var order = Enumerable.Range(1, PageHeader.Read(page).ItemCount)
            .Select(item => (item, LinePointer.Read(page, item)))
            .Where(pair => pair.Item2.State == LinePointerState.Normal).OrderBy(pair => pair.Item2.Offset).Take(2).ToArray();
        foreach (var (item, _) in order) page.AsSpan(LinePointer.Position(item), 4).Clear();
        var lost = new List<LostTuple>();

        LostTuples.Find(page, HeapPageInspectorTests.Expected("heap-hot"), lost);

        Assert.Equal(
            order.Select(pair => (pair.Item2.Offset, pair.Item2.Length)), lost.Select(tuple => (tuple.Offset, tuple.Length)));
    }

    [Fact]
    public void A_sound_page_has_lost_nothing()
    {
        var lost = new List<LostTuple>();

        LostTuples.Find(Captured.Page("heap-hot"), HeapPageInspectorTests.Expected("heap-hot"), lost);

        Assert.Empty(lost);
    }
}
