using System.Globalization;
using System.Security.Cryptography;
using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>Puts what a scan has seen into words, and into facts for repairs.</summary>
internal static class PageFindings
{
    /// <summary>Beyond that a relation is damaged enough; more would only fill the report.</summary>
    public const int Most = 200;

    public static Finding OfPage(Suspect suspect, Target target, string path, long blocks)
    {
        var (file, offset) = Forks.Place(path, suspect.Fork, suspect.Block);
        var facts = Facts(target, suspect.Fork, path);
        facts["sha256"] = Convert.ToHexStringLower(SHA256.HashData(suspect.Page));
        facts["lsn"] = PageJudge.Lsn(PageHeader.Read(suspect.Page).Lsn);
        var evidence = $"block {suspect.Block} of {Fork(suspect.Fork)} ({file}, byte {offset}): {suspect.Suspicion.Evidence}";
        if (suspect.Suspicion.Fault == Faults.PageChecksum
            && PageChecksum.BlockOf(suspect.Page, (uint)Math.Min(blocks, uint.MaxValue)) is { } other)
        {
            evidence += $"; it is the checksum of block {other}: the page was written to the wrong place";
            facts["belongs_to_block"] = other.ToString(CultureInfo.InvariantCulture);
        }
        return new Finding(suspect.Suspicion.Fault, target with { Fork = suspect.Fork, Block = suspect.Block }, evidence)
        {
            SqlState = suspect.Suspicion.Fault == Faults.PageChecksum ? "XX001" : null,
            Hint = suspect.Fork is Forks.Vm or Forks.Fsm
                ? "the map is derived from its table and can be made anew: kintsugi heal"
                : "keep the file as it is before anything reads or writes it: kintsugi snapshots create; kintsugi page decodes "
                + "the block",
            Facts = facts,
        };
    }

    public static Finding OfFile(FaultClass fault, Target target, string fork, string path, string evidence, string hint) =>
        new(fault, target with { Fork = fork }, evidence)
        {
            Hint = hint,
            Facts = new Dictionary<string, string>(Facts(target, fork, path))
            {
                ["story"] = $"{target.Name}: {Fork(fork)} {(fault == Faults.FileMissing ? "is missing or cannot be read" : fault == Faults.FileTruncated ? "was cut off" : "is damaged")}",
            },
        };

    /// <summary>The one that stands for all that were not listed.</summary>
    public static Finding OfTheRest(Target target, string path) =>
        new(Faults.PageInvalid, target with { Fork = Forks.Main, Rule = "rest" },
        $"more than {Most} pages of {path} are damaged; they are not all listed, and what lies behind them was not read")
    {
        Hint = "kintsugi checksums verify counts them all; the relation as a whole has to come from a backup or a standby",
        Facts = Facts(target, Forks.Main, path),
    };

    private static string Fork(string fork) => fork switch
    {
        Forks.Vm => "the visibility map",
        Forks.Fsm => "the free space map",
        Forks.Init => "the init fork",
        _ => "the main fork",
    };

    private static Dictionary<string, string> Facts(Target target, string fork, string path) => new()
    {
        ["cause"] = $"{target.ObjectSchema}.{target.Object}:{fork}",
        ["story"] = $"{target.Name}: pages of {Fork(fork)} are damaged",
        ["path"] = path,
    };
}
