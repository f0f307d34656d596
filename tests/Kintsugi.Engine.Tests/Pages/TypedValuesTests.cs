using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Xunit;

namespace Kintsugi.Engine.Tests.Pages;

public sealed class TypedValuesTests
{
    [Theory]
    [InlineData(16, "00", true), InlineData(16, "01", true), InlineData(16, "07", false)]
    // dates: 4714-11-24 BC, the day before; 5874897-12-31, the day after; infinity
    [InlineData(1082, "A797DAFF", true), InlineData(1082, "A697DAFF", false)]
    [InlineData(1082, "0C97DA7F", true), InlineData(1082, "0D97DA7F", false), InlineData(1082, "FFFFFF7F", true), InlineData(1082, "00000080", true)]
    // 24:00:00, one microsecond more, and before midnight
    [InlineData(1083, "0060D71D14000000", true), InlineData(1083, "0160D71D14000000", false), InlineData(1083, "FFFFFFFFFFFFFFFF", false)]
    // infinities; the end of timestamps
    [InlineData(1184, "FFFFFFFFFFFFFF7F", true), InlineData(1184, "0000000000000080", true), InlineData(1114, "0000000000000000", true)]
    [InlineData(1114, "FEFFFFFFFFFFFF7F", false), InlineData(1114, "0100000000000080", false)]
    public void Of_fixed_length(uint type, string hex, bool isPossible) => Assert.Equal(isPossible, Judge(type, hex, AttributeForm.Fixed));

    [Theory]
    // numeric: 1.5 short; NaN and the infinities; a digit of 10,000; half a digit
    [InlineData(1700, "808001008813", true), InlineData(1700, "00C0", true), InlineData(1700, "00D0", true), InlineData(1700, "00F0", true)]
    [InlineData(1700, "80801027", false), InlineData(1700, "808001", false), InlineData(1700, "00E0", false)]
    // 10.0.0.1/32, the same of no family, of too many bits; a network with bits behind its mask
    [InlineData(869, "02200A000001", true), InlineData(869, "4D200A000001", false), InlineData(869, "02210A000001", false)]
    [InlineData(650, "02080A000000", true), InlineData(650, "02080A000001", false)]
    [InlineData(1560, "05000000A8", true), InlineData(1560, "F4010000A8", false)]
    // a polygon of one point, and one that claims three thousand
    [InlineData(602, "010000000100000000000000" + Point, true), InlineData(602, "B80B00000100000000000000" + Point, false)]
    // [5,9), bounds exchanged, impossible flags, another type's, empty, endless
    [InlineData(3904, "400F0000050000000900000002", true), InlineData(3904, "400F0000090000000500000002", false)]
    [InlineData(3904, "400F000005000000090000007F", false), InlineData(3904, "410F0000050000000900000002", false)]
    [InlineData(3904, "400F000001", true), InlineData(3904, "400F00000500000012", true), InlineData(3904, "400F000018", true)]
    // int[]: {1,2,3}; of no dimension; nine hundred elements; seven dimensions; of another type; with a bitmap of nulls
    [InlineData(1007, "01000000000000001700000003000000010000000100000002000000" + "03000000", true), InlineData(1007, "000000000000000017000000", true)]
    [InlineData(1007, "01000000000000001700000084030000010000000100000002000000" + "03000000", false), InlineData(1007, "070000000000000017000000", false)]
    [InlineData(1007, "01000000000000001900000003000000010000000100000002000000" + "03000000", false)]
    [InlineData(1007, "01000000200000001700000003000000010000000500000000000000" + "0100000002000000", true)]
    // tsvector: 'a' 'b'; in the wrong order; a word behind the end; more words than bytes
    [InlineData(3614, "0200000002000000021000006162", true), InlineData(3614, "0200000002000000021000006261", false)]
    [InlineData(3614, "0200000002000000022000006162", false), InlineData(3614, "C800000002000000021000006162", false)]
    public void Of_variable_length(uint type, string hex, bool isPossible) => Assert.Equal(isPossible, Judge(type, hex, AttributeForm.Packed));

    private const string Point = "00000000000000000000000000000000";

    [Theory]
    // {"a":"é"} as a server stores it, and with half of the character
    [InlineData("010000200100000002000000" + "61C3A9", true), InlineData("010000200100000002000000" + "61C3C3", false)]
    public void Text_inside_jsonb(string hex, bool isPossible)
    {
        Assert.True(JsonbInspector.IsPossible(Convert.FromHexString(hex), out _));
        Assert.Equal(isPossible, JsonbInspector.IsPossible(Convert.FromHexString(hex), isUtf8: true, out _));
    }

    [Fact]
    public void Never_throws_on_any_bytes()
    {
        var random = new Random(7);
        uint[] types = [16, 602, 604, 650, 869, 1007, 1009, 1231, 1560, 1562, 1700, 3614, 3904, 3908, 3910, 3912, 3926];
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(0, 60)];
            random.NextBytes(bytes);
            bytes.AsSpan(0, Math.Min(bytes.Length, random.Next(0, 5))).Clear();
            Judge(types[random.Next(types.Length)], Convert.ToHexString(bytes), AttributeForm.Packed);
        }
    }

    private static bool Judge(uint type, string hex, AttributeForm form)
    {
        var value = Convert.FromHexString(hex);
        var header = form == AttributeForm.Packed ? 1 : 0;
        byte[] tuple = [.. new byte[header], .. value];
        var flaws = new List<Flaw>();
        if (form == AttributeForm.Packed || value.Length > 0)
            TypedValues.Inspect(tuple, new AttributeSlice(form, 0, tuple.Length), type, new Flaw(FlawKind.None, 0, 1, 1), flaws);
        Assert.All(flaws, flaw => Assert.Equal(FlawKind.ValueImpossible, flaw.Kind));
        return flaws.Count == 0;
    }
}
