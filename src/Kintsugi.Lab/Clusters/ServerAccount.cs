using System.Globalization;

namespace Kintsugi.Lab;

/// <summary>
/// Who a throwaway server runs as. PostgreSQL refuses root, and initdb needs an account that /etc/passwd knows, so root
/// steps down to `postgres` where that exists, else to `nobody`; everybody else runs it as oneself.
/// </summary>
internal sealed record ServerAccount(string? Name, int Uid, int Gid)
{
    public static ServerAccount Current()
    {
        if (!Environment.IsPrivilegedProcess)
            return new ServerAccount(null, -1, -1);
        var accounts = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(fields => fields.Length >= 7).ToList();
        var entry = accounts.FirstOrDefault(a => a[0] == "postgres") ?? accounts.FirstOrDefault(a => a[0] == "nobody")
            ?? throw new LabException("Neither `postgres` nor `nobody` is in /etc/passwd, and PostgreSQL refuses to run as root. "
                + "Create an unprivileged account, or start as one.");
        return new ServerAccount(
            entry[0], int.Parse(entry[2], CultureInfo.InvariantCulture), int.Parse(entry[3], CultureInfo.InvariantCulture));
    }

    /// <summary>
    /// The command as this account runs it. setpriv is part of util-linux; runuser stands in where it was left out.
    /// </summary>
    public IReadOnlyList<string> Wrap(IReadOnlyList<string> command) => Name switch
    {
        null => command,
        _ when HasSetpriv => [SetprivPath, $"--reuid={Uid}", $"--regid={Gid}", "--clear-groups", "--", .. command],
        _ => ["runuser", "-u", Name, "--", .. command],
    };

    /// <summary>
    /// A clean environment: PGDATA, PGPORT and locale of whoever starts us must not leak into a throwaway server.
    /// </summary>
    public static IReadOnlyDictionary<string, string> CleanEnvironment { get; } = new Dictionary<string, string>
    {
        ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ["HOME"] = "/",
        ["LC_ALL"] = "C", ["TZ"] = "UTC",
    };

    /// <summary>Hands a path over to the account, so that the server may write there.</summary>
    public async Task Own(string path, CancellationToken cancellationToken)
    {
        if (Name is not null)
            await ExternalCommand.Require(
                ["chown", "-R", $"{Uid.ToString(CultureInfo.InvariantCulture)}:{Gid.ToString(CultureInfo.InvariantCulture)}",
                    path],
                cancellationToken);
    }

    private const string SetprivPath = "/usr/bin/setpriv";

    private static bool HasSetpriv => File.Exists(SetprivPath);
}
