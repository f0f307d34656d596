using System.Buffers.Binary;
using CsCheck;
using Kintsugi.Pages;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class PageHeaderTests
{
    [Fact]
    public void A_sound_header_has_no_flaw()
    {
        var header = PageHeader.Read(Sound());

        Assert.Empty(Inspect(Sound()));
        Assert.True(header.IsPossible);
        Assert.Equal(0x1_0000_0002ul, header.Lsn);
        Assert.Equal(4, header.ItemCount);
    }

    [Fact]
    public void An_all_zero_page_is_new_and_has_no_flaw()
    {
        var page = new byte[PageFormat.Size];

        Assert.True(PageHeader.IsAllZero(page));
        Assert.True(PageHeader.Read(page).IsNew);
        Assert.Empty(Inspect(page));
    }

    [Fact]
    public void A_zeroed_header_with_data_behind_it_is_not_taken_for_a_new_page()
    {
        var page = Sound();
        page[8191] = 1;
        page.AsSpan(0, PageFormat.HeaderSize).Clear();

        Assert.Equal([FlawKind.NewPageWithData], Inspect(page));
    }

    [Theory]
    [InlineData(10, 8, FlawKind.PageFlagsUnknown)]
    [InlineData(12, 20, FlawKind.LowerTooSmall)]
    [InlineData(12, 8000, FlawKind.LowerBeyondUpper)]
    [InlineData(14, 8184, FlawKind.UpperBeyondSpecial)]
    [InlineData(14, 4001, FlawKind.UpperMisaligned)]
    [InlineData(16, 8200, FlawKind.SpecialBeyondPage)]
    [InlineData(16, 8177, FlawKind.SpecialMisaligned)]
    [InlineData(18, 0x2003, FlawKind.PageVersion)]
    public void Says_which_field_is_impossible(int at, int value, FlawKind expected)
    {
        var page = Sound();
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(at), (ushort)value);

        Assert.Equal([expected], Inspect(page));
        Assert.False(PageHeader.Read(page).IsPossible);
    }

    [Fact]
    public void A_page_from_the_future_is_seen()
    {
        var flaws = new List<Flaw>();
        PageHeader.Inspect(Sound(), flaws, walEnd: 0x1_0000_0001);

        var flaw = Assert.Single(flaws);
        Assert.Equal("the page's LSN 1/2 is beyond the end of WAL 1/1", flaw.Describe());
    }

    [Fact]
    public void Possible_and_flawless_mean_the_same() =>
        Gen.Select(Gen.UShort, Gen.UShort, Gen.UShort, Gen.UShort).Sample((flags, lower, upper, special) =>
        {
            var page = Sound();
            BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(10), flags);
            BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(12), lower);
            BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(14), Math.Max(upper, (ushort)1));
            BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(16), special);

            Assert.Equal(PageHeader.Read(page).IsPossible, Inspect(page).Count == 0);
        }, iter: 2000);

    [Fact]
    public void A_line_pointer_survives_encoding() =>
        Gen.UInt.Sample(word => Assert.Equal(word, LinePointer.Decode(word).Encode()));

    [Fact]
    public void Every_flaw_has_its_sentence()
    {
        foreach (var kind in Enum.GetValues<FlawKind>().Where(kind => kind != FlawKind.None))
            Assert.NotEqual(kind.ToString(), new Flaw(kind, 0).Describe());
    }

    private static List<FlawKind> Inspect(byte[] page)
    {
        var flaws = new List<Flaw>();
        PageHeader.Inspect(page, flaws);
        return flaws.ConvertAll(flaw => flaw.Kind);
    }

    private static byte[] Sound()
    {
        var page = new byte[PageFormat.Size];
        ushort[] words = [1, 0, 2, 0, 0, 0, 40, 4000, 8176, PageFormat.SizeAndVersion];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(i * 2), words[i]);
        return page;
    }
}
