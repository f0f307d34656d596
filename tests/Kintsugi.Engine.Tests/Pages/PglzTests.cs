using System.Text;
using CsCheck;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class PglzTests
{
    [Fact]
    public void Restores_a_value_that_a_server_compressed()
    {
        var stored = Stored();
        var value = new byte["compress me 1".Length * 400];

        Assert.True(Pglz.TryDecompress(stored, value));

        Assert.Equal(string.Concat(Enumerable.Repeat("compress me 1", 400)), Encoding.ASCII.GetString(value));
        Assert.False(Pglz.TryDecompress(stored, new byte[value.Length + 1]));
        Assert.False(Pglz.TryDecompress(stored.AsSpan(0, stored.Length - 1), value));
    }

    [Fact]
    public void No_bytes_make_it_throw() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[0, 500]).Sample((bytes, length) =>
        {
            var target = new byte[length];
            var exact = Pglz.TryDecompress(bytes, target);
            Assert.True(!exact || bytes.Length > 0 || length == 0);
        }, iter: 3000);

    private static byte[] Stored()
    {
        var page = Captured.Page("heap-toasted");
        var line = LinePointer.Read(page, 1);
        var slices = new AttributeSlice[4];
        TupleReader.Deform(page.AsSpan(line.Offset, line.Length), Captured.BigColumns, slices);
        Assert.Equal(AttributeForm.Compressed, slices[2].Form);
        return slices[2].Data(page.AsSpan(line.Offset, line.Length)).ToArray();
    }
}
