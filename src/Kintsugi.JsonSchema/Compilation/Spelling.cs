namespace Kintsugi.JsonSchema;

/// <summary>Finds the known word that somebody probably meant.</summary>
internal static class Spelling
{
    /// <returns><c>; did you mean "x"?</c>, or nothing when no known word is near.</returns>
    public static string Suggest(string word, IEnumerable<string> known)
    {
        var best = known.Select(candidate => (candidate, Distance: Distance(word, candidate)))
            .OrderBy(pair => pair.Distance).ThenBy(pair => pair.candidate, StringComparer.Ordinal).FirstOrDefault();
        return best.candidate is not null && best.Distance <= Math.Max(1, word.Length / 3)
            ? $"; did you mean \"{best.candidate}\"?"
            : "";
    }

    /// <summary>Edits (insert, delete, replace, swap of neighbours) from one word to the other, ignoring case.</summary>
    private static int Distance(string from, string to)
    {
        var rows = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= to.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var same = Same(from[i - 1], to[j - 1]) ? 0 : 1;
                var least = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + same);
                if (i > 1 && j > 1 && Same(from[i - 1], to[j - 2]) && Same(from[i - 2], to[j - 1]))
                    least = Math.Min(least, rows[i - 2, j - 2] + 1);
                rows[i, j] = least;
            }
        }

        return rows[from.Length, to.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
