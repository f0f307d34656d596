using System.Globalization;
using System.Text;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.Postgres.Scratch;

namespace Kintsugi.Postgres.Operating.Locked;

/// <summary>
/// Lets sessions in past damaged indexes of the catalogs: ignore_system_indexes in postgresql.auto.conf and a reload. As an option of the connection it comes too
/// late, for the relation cache is built before it is looked at (HEALING.md section 5). Only the line is written and taken away; the rest of the file stays.
/// </summary>
internal sealed class SystemIndexes(string directory)
{
    private const string Setting = "ignore_system_indexes";
    private const string File = "postgresql.auto.conf";
    private const string Line = Setting + " = 'on' # by kintsugi, for the rebuild of a system catalog's index";

    private string Path => System.IO.Path.Combine(directory, File);

    /// <summary>The owner's own line, or empty: what is put back at the end.</summary>
    public string OwnersLine() => Lines().LastOrDefault(line => IsSetting(line) && line != Line) ?? "";

    public ValueTask Ignore(CancellationToken cancellationToken) => Write([.. Lines().Where(line => !IsSetting(line)), Line], cancellationToken);

    /// <returns>Whether there was anything to take away.</returns>
    public async ValueTask<bool> Use(string ownersLine, CancellationToken cancellationToken)
    {
        // Of a run that was killed before the file had its name.
        System.IO.File.Delete(Path + ClusterFileStep.Draft);
        var lines = Lines();
        string[] kept = [.. lines.Where(line => !IsSetting(line)), .. ownersLine.Length > 0 ? [ownersLine] : Array.Empty<string>()];
        if (kept.SequenceEqual(lines))
            return false;
        await Write(kept, cancellationToken);
        return true;
    }

    private static bool IsSetting(string line) => line.TrimStart().StartsWith(Setting, StringComparison.OrdinalIgnoreCase);

    private string[] Lines() => System.IO.File.Exists(Path) ? System.IO.File.ReadAllLines(Path) : [];

    private async ValueTask Write(IReadOnlyList<string> lines, CancellationToken cancellationToken)
    {
        await ClusterFileStep.Replace(Path, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))), directory, cancellationToken);
        if (DataDirectory.Open(directory).ServerPid is not (> 0 and var pid))
            return;
        await ScratchAccount.Run(new ScratchAccount(null).Command(["kill", "-s", "HUP", pid.ToString(CultureInfo.InvariantCulture)]), cancellationToken);
    }
}
