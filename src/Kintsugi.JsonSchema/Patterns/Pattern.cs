using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Kintsugi.JsonSchema;

/// <summary>A regular expression of a schema: linear in time where .NET can, bounded in time where it must backtrack.</summary>
internal sealed class Pattern
{
    private const int StackChars = 256;

    /// <summary>All letters as UTF-16 pairs cost the linear engine seconds to compile; longer ones backtrack.</summary>
    private const int LinearLength = 2_000;

    private readonly Regex _regex;

    private Pattern(string source, Regex regex, string? postgres) => (Source, _regex, Postgres) = (source, regex, postgres);

    public string Source { get; }

    /// <summary>The same expression for PostgreSQL's <c>~</c>, or null when it has no equal there.</summary>
    public string? Postgres { get; }

    public static bool TryCompile(string source, TimeSpan timeout, out Pattern? pattern, out string mistake)
    {
        (pattern, mistake) = (null, "");
        try
        {
            var (dotNet, postgres) = PatternTranslation.Of(source);
            pattern = new Pattern(source, Compile(dotNet, timeout), postgres);
            return true;
        }
        catch (PatternException wrong)
        {
            mistake = wrong.Message;
        }
        catch (RegexParseException wrong)
        {
            mistake = wrong.Message;
        }

        return false;
    }

    /// <exception cref="UndecidedException">It ran out of time.</exception>
    public bool IsMatch(ReadOnlySpan<byte> utf8)
    {
        char[]? rented = null;
        var chars = utf8.Length <= StackChars
            ? stackalloc char[StackChars]
            : (rented = ArrayPool<char>.Shared.Rent(utf8.Length));
        try
        {
            return _regex.IsMatch(chars[..Encoding.UTF8.GetChars(utf8, chars)]);
        }
        catch (RegexMatchTimeoutException late)
        {
            throw new UndecidedException($"the pattern \"{Source}\" took longer than {late.MatchTimeout} for one text", late);
        }
        finally
        {
            if (rented is not null)
                ArrayPool<char>.Shared.Return(rented);
        }
    }

    private static Regex Compile(string text, TimeSpan timeout)
    {
        try
        {
            var engine = text.Length <= LinearLength ? RegexOptions.NonBacktracking : RegexOptions.None;
            return new Regex(text, RegexOptions.CultureInvariant | engine, timeout);
        }
        catch (NotSupportedException)
        {
            // Looking around and back references need backtracking; the time limit stands guard there.
            return new Regex(text, RegexOptions.CultureInvariant, timeout);
        }
    }
}
