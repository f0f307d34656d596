using System.Numerics;
using System.Text;
using CsCheck;
using Kintsugi.JsonSchema;
using Xunit;

namespace Kintsugi.Engine.Tests.JsonSchema;

/// <summary>Numbers however they are written, against whole numbers of any size.</summary>
public sealed class NumberLaws
{
    /// <summary>The smallest power of ten generated, so that scaling by it gives whole numbers.</summary>
    private const int Lowest = -25;

    private static readonly Gen<(BigInteger Mantissa, int Exponent)> _numbers = Gen.Select(
        Gen.OneOf(Gen.Long[-20, 20].Select(value => (BigInteger)value), Gen.Long.Select(value => (BigInteger)value),
            Gen.Select(Gen.Long, Gen.Long, (high, low) => ((BigInteger)high << 64) + low)),
        Gen.Int[Lowest, 25]);

    [Fact]
    public void Order_equality_and_hash_go_by_value() => Gen.Select(_numbers, _numbers, Gen.Int[0, 5]).Sample((left, right, zeros) =>
    {
        var expected = Whole(left).CompareTo(Whole(right));

        Assert.Equal(expected, Math.Sign(Read(left).CompareTo(Read(right))));
        var padded = (left.Mantissa * BigInteger.Pow(10, zeros), left.Exponent - zeros);
        Assert.Equal(0, Read(left).CompareTo(Read(padded)));
        Assert.Equal(Read(left).GetHashCode(), Read(padded).GetHashCode());
    });

    [Fact]
    public void Multiples_and_integers_are_decided_without_rounding() => Gen.Select(_numbers, _numbers).Sample((number, unit) =>
    {
        Assert.Equal((Whole(number) % BigInteger.Pow(10, -Lowest)).IsZero, Read(number).IsInteger);
        if (unit.Mantissa.Sign > 0)
            Assert.Equal((Whole(number) % Whole(unit)).IsZero, Read(number).IsMultipleOf(Read(unit)));
        var product = (number.Mantissa * unit.Mantissa, number.Exponent + unit.Exponent);
        if (unit.Mantissa.Sign > 0 && number.Exponent >= 0)
            Assert.True(Read(product).IsMultipleOf(Read(unit)));
    });

    [Fact]
    public void A_point_means_the_same_as_an_exponent() => Gen.Select(Gen.Long[0, 99_999], Gen.Int[1, 9]).Sample((value, digits) =>
    {
        var text = value.ToString().PadLeft(digits + 1, '0').Insert(Math.Max(value.ToString().Length, digits + 1) - digits, ".");

        Assert.Equal(0, ExactNumber.Parse(Encoding.UTF8.GetBytes(text)).CompareTo(Read((value, -digits))));
    });

    private static BigInteger Whole((BigInteger Mantissa, int Exponent) number) =>
        number.Mantissa * BigInteger.Pow(10, number.Exponent - Lowest);

    private static ExactNumber Read((BigInteger Mantissa, int Exponent) number) =>
        ExactNumber.Parse(Encoding.UTF8.GetBytes($"{number.Mantissa}e{number.Exponent}"));
}
