using System.Globalization;
using System.Numerics;

namespace Kintsugi.JsonSchema;

/// <summary>
/// A JSON number as it is written: an integer times a power of ten, never rounded to a double. Up to eighteen digits it
/// costs no allocation.
/// </summary>
internal readonly struct ExactNumber
{
    /// <summary>Digits that always fit a long.</summary>
    private const int SmallDigits = 18;

    /// <summary>Beyond this an exponent is only compared by its sign; numeric ends at 131,072 digits.</summary>
    private const long ExponentLimit = 1_000_000_000_000;

    private readonly long _small;
    private readonly BigInteger? _big;

    private ExactNumber(long small, BigInteger? big, long exponent) =>
        (_small, _big, Exponent) = (small, big, exponent);

    /// <summary>The power of ten that the mantissa is multiplied by.</summary>
    public long Exponent { get; }

    public BigInteger Mantissa => _big ?? _small;

    public int Sign => _big is { } big ? big.Sign : Math.Sign(_small);

    public bool IsInteger => Exponent >= 0 || Normalized().Exponent >= 0;

    public static ExactNumber Of(long value) => new(value, null, 0);

    /// <summary>Reads the text of a JSON number that the parser has already accepted.</summary>
    public static ExactNumber Parse(ReadOnlySpan<byte> text)
    {
        if (text.Length <= SmallDigits && TryPlain(text, out var plain))
            return new ExactNumber(plain, null, 0);
        var mark = text.IndexOfAny((byte)'e', (byte)'E');
        var exponent = mark < 0 ? 0 : ParseExponent(text[(mark + 1)..]);
        var body = mark < 0 ? text : text[..mark];
        var digits = body.Length <= 256 ? stackalloc char[body.Length] : new char[body.Length];
        var count = 0;
        var fraction = false;
        foreach (var b in body)
        {
            if (b == (byte)'.')
                fraction = true;
            if (b is < (byte)'0' or > (byte)'9')
                continue;
            exponent -= fraction ? 1 : 0;
            if (count > 0 || b != (byte)'0')
                digits[count++] = (char)b;
        }

        while (count > 0 && digits[count - 1] == '0')
        {
            count--;
            exponent++;
        }

        return FromDigits(digits[..count], body[0] == (byte)'-', exponent);
    }

    public int CompareTo(ExactNumber other)
    {
        if (Exponent == other.Exponent)
            return _big is null && other._big is null ? _small.CompareTo(other._small) : Mantissa.CompareTo(other.Mantissa);
        if (Sign != other.Sign || Sign == 0)
            return Sign.CompareTo(other.Sign);
        var magnitude = (Digits() + Exponent).CompareTo(other.Digits() + other.Exponent);
        if (magnitude != 0)
            return magnitude * Sign;

        // Same place of the first digit: the exponents differ by no more than the digits do, so scaling is affordable.
        var low = Math.Min(Exponent, other.Exponent);
        return Scaled(low).CompareTo(other.Scaled(low));
    }

    /// <summary>True when this is a whole multiple of a divisor above zero, exactly.</summary>
    public bool IsMultipleOf(ExactNumber divisor)
    {
        if (_big is null && divisor._big is null && Exponent == 0 && divisor.Exponent == 0)
            return _small % divisor._small == 0;
        if (Sign == 0)
            return true;
        var (number, unit) = (Normalized(), divisor.Normalized());

        // A mantissa without trailing zero times a lower power of ten is never a multiple of a higher power of ten.
        if (number.Exponent < unit.Exponent)
            return false;
        var rest = BigInteger.ModPow(10, number.Exponent - unit.Exponent, unit.Mantissa) * number.Mantissa;
        return (rest % unit.Mantissa).IsZero;
    }

    public override int GetHashCode()
    {
        var normal = Normalized();
        return HashCode.Combine(normal.Mantissa, normal.Exponent);
    }

    /// <summary>As <c>mantissaEexponent</c>, which every reader of numbers understands.</summary>
    public override string ToString() => Exponent == 0
        ? Mantissa.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Mantissa}e{Exponent}");

    private BigInteger Scaled(long low) => Mantissa * BigInteger.Pow(10, (int)(Exponent - low));

    private long Digits()
    {
        if (_big is { } big)
            return BigInteger.Abs(big).ToString(CultureInfo.InvariantCulture).Length;
        var digits = 1;
        for (var rest = Math.Abs(_small); rest >= 10; rest /= 10)
            digits++;
        return digits;
    }

    private ExactNumber Normalized()
    {
        if (_big is not null)
            return this;
        if (_small == 0)
            return new ExactNumber(0, null, 0);
        var (rest, exponent) = (_small, Exponent);
        for (; rest % 10 == 0; rest /= 10)
            exponent++;
        return new ExactNumber(rest, null, exponent);
    }

    private static ExactNumber FromDigits(ReadOnlySpan<char> digits, bool negative, long exponent)
    {
        if (digits.IsEmpty)
            return default;
        if (digits.Length <= SmallDigits)
        {
            var small = long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
            return new ExactNumber(negative ? -small : small, null, exponent);
        }

        var big = BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        return new ExactNumber(0, negative ? -big : big, exponent);
    }

    private static bool TryPlain(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        var negative = text[0] == (byte)'-';
        foreach (var b in negative ? text[1..] : text)
        {
            if (b is < (byte)'0' or > (byte)'9')
                return false;
            value = (value * 10) + (b - '0');
        }

        value = negative ? -value : value;
        return true;
    }

    private static long ParseExponent(ReadOnlySpan<byte> text)
    {
        var negative = text[0] == (byte)'-';
        var value = 0L;
        foreach (var b in text)
        {
            if (b is >= (byte)'0' and <= (byte)'9')
                value = Math.Min((value * 10) + (b - '0'), ExponentLimit);
        }

        return negative ? -value : value;
    }
}
