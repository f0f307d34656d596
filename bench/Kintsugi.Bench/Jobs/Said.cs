using System.Text.Json;
using System.Text.RegularExpressions;
using Kintsugi.Bench.Measuring;

namespace Kintsugi.Bench.Jobs;

/// <summary>What programs said, as sets that can be compared.</summary>
internal static partial class Said
{
    /// <summary>The relations that `kintsugi check --format json` accuses.</summary>
    public static IReadOnlyCollection<string> Accused(Run run)
    {
        using var json = JsonOf(run);
        return json.RootElement.GetProperty("findings").EnumerateArray().Select(finding => Text(finding, "schema") + "."
            + (Text(finding, "object") ?? Text(finding, "relation"))).ToHashSet();
    }

    /// <summary>How many verdicts there are of a kind: sound, damaged, unchecked.</summary>
    public static int Verdicts(Run run, string kind)
    {
        using var json = JsonOf(run);
        return json.RootElement.GetProperty("verdicts").GetProperty(kind).GetInt32();
    }

    /// <summary>Indexes that were not examined because their table was accused.</summary>
    public static IEnumerable<string> LeftForTheirTable(Run run)
    {
        using var json = JsonOf(run);
        return [.. json.RootElement.GetProperty("examined").EnumerateArray()
            .Where(one => Text(one, "verdict") == "unchecked" && Text(one, "reason")!.Contains("was found in it", StringComparison.Ordinal)).Select(one => Text(one, "target")!)];
    }

    /// <summary>Examinations of heaps and btrees in the schema public that rest on the proof of an earlier run.</summary>
    public static int Carried(Run run)
    {
        using var json = JsonOf(run);
        return json.RootElement.GetProperty("examined").EnumerateArray().Count(one => one.TryGetProperty("carried", out _)
            && one.GetProperty("check").GetString() is ("heap" or "btree") && Text(one, "target")!.StartsWith("public.", StringComparison.Ordinal));
    }

    /// <summary>The relations that pg_amcheck names: btree index "db.schema.name": …, heap table "db.schema.name", block ….</summary>
    public static IReadOnlyCollection<string> AccusedByAmcheck(Run run) =>
        Named().Matches(run.Output).Select(match => match.Groups[1].Value).ToHashSet();

    /// <summary>file:block of every wrong checksum that we name.</summary>
    public static IReadOnlyCollection<string> WrongPages(Run run)
    {
        using var json = JsonOf(run);
        return json.RootElement.GetProperty("bad").EnumerateArray()
            .Select(bad => Place(bad.GetProperty("file").GetString()!, bad.GetProperty("block").GetInt64().ToString())).ToHashSet();
    }

    public static IReadOnlyCollection<string> WrongPagesByPeer(Run run) =>
        WrongChecksum().Matches(run.Output).Select(match => Place(match.Groups[1].Value, match.Groups[2].Value)).ToHashSet();

    /// <summary>The first whole number in a line of psql's.</summary>
    public static string Number(Run run) => Digits().Match(run.Output).Value;

    /// <summary>The snapshot that was made: "snapshot ID: 3 files, …".</summary>
    public static string Snapshot(Run run) => Made().Match(run.Output).Groups[1].Value;

    /// <summary>Progress and notes go to standard error; the document begins with the first brace.</summary>
    public static JsonDocument JsonOf(Run run)
    {
        var (from, to) = (run.Output.IndexOf('{', StringComparison.Ordinal), run.Output.LastIndexOf('}'));
        return from >= 0 ? JsonDocument.Parse(run.Output[from..(to + 1)]) : throw new BenchException($"no JSON was said: {run.Output.Trim()}");
    }

    /// <summary>Fails the whole run when a program ends otherwise than it must: a figure of it would mean nothing.</summary>
    public static Run Require(this Run run, params int[] codes) => codes.Contains(run.ExitCode)
        ? run
        : throw new BenchException($"a program ended with {run.ExitCode} instead of {string.Join(" or ", codes)}: {run.Output.Trim()}");

    private static string Place(string file, string block) => $"{string.Join('/', file.Split('/')[^3..])}:{block}";

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    [GeneratedRegex("""(?:btree index|heap table) "[^".]+\.([^"]+)":?""")]
    private static partial Regex Named();

    [GeneratedRegex("""checksum verification failed in file "([^"]+)", block (\d+)""")]
    private static partial Regex WrongChecksum();

    [GeneratedRegex(@"^snapshot (\S+):", RegexOptions.Multiline)]
    private static partial Regex Made();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
