using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class JsonbInspectorTests
{
    private const int Document = 12;

    [Fact]
    public void Documents_that_a_server_wrote_are_possible() =>
        Assert.All(Documents(), document => Assert.True(JsonbInspector.IsPossible(document, out _)));

    [Fact]
    public void Damaged_lengths_are_seen_and_never_throw()
    {
        var documents = Documents();
        Gen.Select(Gen.Int[0, documents.Count - 1], Gen.Int[0, 19], Gen.Int[0, 7]).Sample((which, at, bit) =>
        {
            var document = documents[which].ToArray();
            document[at] ^= (byte)(1 << bit);
            // A flag that says the same in another way, and the order of equally long keys, may stay possible.
            if (at % 4 != 3) Assert.False(JsonbInspector.IsPossible(document, out _));
            else JsonbInspector.IsPossible(document, out _);
        });
    }

    [Fact]
    public void No_bytes_make_it_throw() =>
        Gen.Byte.Array[0, 400].Sample(bytes =>
        {
            JsonbInspector.IsPossible(bytes, out var at);
            Assert.InRange(at, 0, bytes.Length);
        }, iter: 3000);

    [Fact]
    public void A_damaged_document_is_named_by_its_column()
    {
        var page = Captured.Page("heap-wide");
        var (offset, slice) = Places(page)[0];
        page[offset + slice.Offset + slice.HeaderSize + 4] ^= 0x0F;
        var flaws = new List<Flaw>();

        HeapPageInspector.Inspect(page, HeapPageInspectorTests.Expected("heap-wide"), flaws);

        var flaw = Assert.Single(flaws);
        Assert.Equal((FlawKind.JsonbImpossible, Document + 1), (flaw.Kind, flaw.Column));
    }

    private static List<byte[]> Documents()
    {
        var page = Captured.Page("heap-wide");
        return Places(page).ConvertAll(place => page.AsSpan(
            place.Offset + place.Slice.Offset + place.Slice.HeaderSize, place.Slice.Length - place.Slice.HeaderSize).ToArray());
    }

    private static List<(int Offset, AttributeSlice Slice)> Places(byte[] page)
    {
        var places = new List<(int, AttributeSlice)>();
        var slices = new AttributeSlice[Captured.WideColumns.Length];
        for (var item = 1; item <= PageHeader.Read(page).ItemCount; item++)
        {
            var line = LinePointer.Read(page, item);
            if (line.State != LinePointerState.Normal) continue;
            TupleReader.Deform(page.AsSpan(line.Offset, line.Length), Captured.WideColumns, slices);
            places.Add((line.Offset, slices[Document]));
        }
        Assert.NotEmpty(places);
        return places;
    }
}
