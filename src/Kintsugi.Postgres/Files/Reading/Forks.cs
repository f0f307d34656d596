using System.Globalization;
using Kintsugi.Pages;

namespace Kintsugi.Postgres.Files.Reading;

/// <summary>How the forks and segments of a relation are called on disk (manual, "Database File Layout").</summary>
internal static class Forks
{
    public const string Main = "main", Vm = "vm", Fsm = "fsm", Init = "init";

    /// <summary>Bytes of a full segment file.</summary>
    public const long SegmentBytes = (long)PageFormat.BlocksPerSegment * PageFormat.Size;

    public static IReadOnlyList<string> All { get; } = [Main, Vm, Fsm, Init];

    public static string File(string path, string fork, int segment) =>
        (fork == Main ? path : $"{path}_{fork}") + (segment == 0 ? "" : "." + segment.ToString(CultureInfo.InvariantCulture));

    /// <summary>The file that holds the block, and where in it.</summary>
    public static (string Path, long Offset) Place(string path, string fork, long block) =>
        (File(path, fork, (int)(block / PageFormat.BlocksPerSegment)), block % PageFormat.BlocksPerSegment * PageFormat.Size);
}
