using System.Diagnostics;

namespace Kintsugi.Postgres.Tests.Fixtures;

/// <summary>The program that plays the people who go on working, where this machine has one that runs.</summary>
internal static class Pgbench
{
    public const string Missing = "no pgbench below /usr/lib/postgresql or on the PATH; ./test gets it where there is apt";

    public static string? Program { get; } = (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [])
        .OrderDescending(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin"))
        .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        .Select(folder => Path.Combine(folder, "pgbench")).Where(File.Exists).FirstOrDefault(Answers);

    /// <summary>The one of Debian's common package does nothing but name the package that is missing.</summary>
    private static bool Answers(string program)
    {
        using var asked = Process.Start(new ProcessStartInfo(program, "--version") { RedirectStandardOutput = true, RedirectStandardError = true })!;
        asked.WaitForExit();
        return asked.ExitCode == 0;
    }
}
