using System.Text;

namespace Kintsugi.JsonSchema;

/// <summary>Punycode (RFC 3492 6): the ASCII form of international labels.</summary>
internal static class Punycode
{
    private const int Base = 36;
    private const int TMin = 1;
    private const int TMax = 26;
    private const int FirstBias = 72;
    private const int FirstPoint = 128;

    /// <returns>Null when the text is no punycode.</returns>
    public static string? Decode(ReadOnlySpan<char> text)
    {
        var points = new List<int>();
        var mark = text.LastIndexOf('-');
        for (var i = 0; i < mark; i++)
            points.Add(char.ToLowerInvariant(text[i]));
        var (at, value, bias, point) = (mark > 0 ? mark + 1 : 0, 0L, FirstBias, (long)FirstPoint);
        while (at < text.Length)
        {
            var (start, weight) = (value, 1L);
            for (var k = Base; ; k += Base)
            {
                if (at == text.Length || Digit(text[at++]) is not { } digit)
                    return null;
                value += digit * weight;
                var threshold = Threshold(k, bias);
                if (value > int.MaxValue)
                    return null;
                if (digit < threshold)
                    break;
                weight *= Base - threshold;
            }

            bias = Adapt(value - start, points.Count + 1, start == 0);
            point += value / (points.Count + 1);
            value %= points.Count + 1;
            if (!Rune.IsValid((int)Math.Min(point, int.MaxValue)))
                return null;
            points.Insert((int)value++, (int)point);
        }

        return string.Concat(points.Select(char.ConvertFromUtf32));
    }

    /// <summary>How long the label would be after <c>xn--</c>.</summary>
    public static int EncodedLength(string label)
    {
        var points = label.EnumerateRunes().Select(rune => rune.Value).ToArray();
        var basic = points.Count(c => c < FirstPoint);
        var length = basic + (basic > 0 ? 1 : 0);
        var (done, delta, bias, next) = (basic, 0L, FirstBias, FirstPoint);
        while (done < points.Length)
        {
            var least = points.Where(c => c >= next).Min();
            delta += (long)(least - next) * (done + 1);
            next = least;
            foreach (var c in points)
            {
                delta += c < next ? 1 : 0;
                if (c != next)
                    continue;
                var rest = delta;
                for (var k = Base; ; k += Base)
                {
                    length++;
                    var threshold = Threshold(k, bias);
                    if (rest < threshold)
                        break;
                    rest = (rest - threshold) / (Base - threshold);
                }

                bias = Adapt(delta, done + 1, done == basic);
                delta = 0;
                done++;
            }

            delta++;
            next++;
        }

        return length;
    }

    private static int Threshold(int k, int bias) => Math.Clamp(k - bias, TMin, TMax);

    private static int Adapt(long delta, int count, bool first)
    {
        delta = first ? delta / 700 : delta / 2;
        delta += delta / count;
        var k = 0;
        for (; delta > (Base - TMin) * TMax / 2; k += Base)
            delta /= Base - TMin;
        return (int)(k + ((Base - TMin + 1) * delta / (delta + 38)));
    }

    private static int? Digit(char c) => c switch
    {
        >= 'a' and <= 'z' => c - 'a',
        >= 'A' and <= 'Z' => c - 'A',
        >= '0' and <= '9' => c - '0' + 26,
        _ => null,
    };
}
