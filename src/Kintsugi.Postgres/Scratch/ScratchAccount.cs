using System.Diagnostics;
using System.Globalization;

namespace Kintsugi.Postgres.Scratch;

/// <summary>Who a scratch server runs as: somebody who may not write the living cluster. PostgreSQL refuses root.</summary>
internal sealed record ScratchAccount(int? Uid)
{
    /// <summary>"nobody" on Linux, and the one below it where the living server itself runs as nobody.</summary>
    private const int Nobody = 65534;

    /// <summary>
    /// Only root may choose; anybody else is already kept out of other people's files, and must trust the links for the own
    /// ones.
    /// </summary>
    public static ScratchAccount Choose(int? livingOwner) =>
        new(Environment.IsPrivilegedProcess ? (livingOwner == Nobody ? Nobody - 1 : Nobody) : null);

    public async ValueTask Own(string path, CancellationToken cancellationToken)
    {
        if (Uid is not { } uid)
            return;
        var owner = uid.ToString(CultureInfo.InvariantCulture);
        await Run(Plain(["chown", "-R", "--no-dereference", $"{owner}:{owner}", path]), cancellationToken);
    }

    /// <summary>That command under this account, with an environment that holds no PG* variable and no locale of ours.</summary>
    public ProcessStartInfo Command(IReadOnlyList<string> command) => Plain(Uid is { } uid
        ? ["setpriv", $"--reuid={uid}", $"--regid={uid}", "--clear-groups", "--", .. command]
        : command);

    /// <exception cref="HealingException">It failed; its words are in the message.</exception>
    public static async ValueTask Run(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        using var process = Process.Start(start)
            ?? throw new HealingException($"{start.FileName} could not be started", mayPass: false);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new HealingException($"{start.FileName} failed: {await errors}{await output}", mayPass: false);
    }

    private static ProcessStartInfo Plain(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C";
        start.Environment["TZ"] = "UTC";
        return start;
    }
}
