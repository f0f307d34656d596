using System.Globalization;

namespace Kintsugi.Lab;

/// <summary>The last way: the distribution's own package, for root on Debian and its kin.</summary>
internal static class AptBinaries
{
    public static async Task<BinarySearch> Obtain(int? major, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
            return new BinarySearch(null, "only root may install packages.");
        var candidates = await Candidates(cancellationToken);
        if (candidates.Count == 0)
        {
            var update = await ExternalCommand.Run(["apt-get", "update", "-q"], cancellationToken);
            if (update.ExitCode == ExternalCommand.NotFound)
                return new BinarySearch(null, "apt-get is not installed.");
            candidates = await Candidates(cancellationToken);
        }
        var fitting = candidates.Where(c => major is null || c == major).DefaultIfEmpty(0).Max();
        if (fitting == 0)
            return new BinarySearch(null,
                $"no package postgresql-{major?.ToString(CultureInfo.InvariantCulture) ?? "N"} is offered.");
        var install = await ExternalCommand.Run(
            ["apt-get", "install", "-q", "-y", "--no-install-recommends", $"postgresql-{fitting}"], cancellationToken);
        if (!install.Succeeded)
            return new BinarySearch(null,
                $"apt-get install postgresql-{fitting} ended with {install.ExitCode}: {LastLine(install.Output)}");
        return await InstalledBinaries.Find(fitting, cancellationToken) is { } found
            ? new BinarySearch(found, "")
            : new BinarySearch(null, $"postgresql-{fitting} was installed, but its programs are not under /usr/lib/postgresql.");
    }

    private static async Task<IReadOnlyList<int>> Candidates(CancellationToken cancellationToken)
    {
        var listed = await ExternalCommand.Run(["apt-cache", "pkgnames", "postgresql-"], cancellationToken);
        return listed.Succeeded
            ? [.. listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => int.TryParse(line["postgresql-".Length..], CultureInfo.InvariantCulture, out var n) ? n : 0)
                .Where(n => n is >= PostgresBinaries.OldestMajor and <= PostgresBinaries.NewestMajor)]
            : [];
    }

    private static string LastLine(string output) => output.TrimEnd().Split('\n')[^1];
}
