using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>The daemon as its user starts it: kintsugi serve -c config.yaml.</summary>
internal sealed class Service : IAsyncDisposable
{
    /// <summary>The owner's block, exactly as the contract promises that it works.</summary>
    public const string Block = """
        database:
          auto_healing:
            enabled: true
            health_check_interval: 10m
            index_check_interval: 1w
            orphan_cleanup_interval: 1d
            snapshot_before_repair: true
            max_auto_repair_attempts: 3
            alert_on_failure: true

        """;

    private readonly StringBuilder said = new();
    private readonly string home = Directory.CreateTempSubdirectory("kintsugi-service-").FullName;
    private readonly HttpClient http = new();
    private System.Diagnostics.Process? process;

    /// <summary>How long what must come is awaited.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(4);
    public int Port { get; } = WebhookReceiver.FreePort();
    /// <summary>Where several nodes keep the ledger; null is this one's state directory.</summary>
    public string? Ledger { get; init; }

    /// <summary>Variables of the environment of everything that is started.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    public string State => Path.Combine(home, "state");
    public string ConfigurationFile => Path.Combine(home, "config.yaml");

    /// <summary>How it is called among nodes: for its machine and its state directory.</summary>
    public string Node => $"{Environment.MachineName}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(State)))[..6]}";

    /// <summary>Of the service that runs.</summary>
    public int Process => process!.Id;

    public bool Ended => process!.HasExited;
    public int ExitCode => process!.ExitCode;

    public string Said
    {
        get
        {
            lock (said)
                return said.ToString();
        }
    }

    /// <summary>The section that names a database for the ledger of several nodes.</summary>
    public static string SharedLedger(TestDatabase database, string more = "") => $$"""
        ledger: { postgres: "host={{database.Cluster.SocketDirectory}} port={{database.Cluster.Port}} user=postgres dbname={{database.Name}}"{{more}} }

        """;

    public static string Target(params TestDatabase[] databases) => $"""
          - name: main
            connection: "host={databases[0].Cluster.SocketDirectory} port={databases[0].Cluster.Port} user=postgres dbname={databases[0].Name}"
            databases: [{string.Join(", ", databases.Select(database => database.Name))}]

        """;

    public void Write(string configuration) => File.WriteAllText(ConfigurationFile, configuration);

    /// <summary>A command of a person at the same state directory.</summary>
    public async Task<(int Code, string Out)> Run(params string[] arguments)
    {
        // From a folder of its own, as it is installed: beside a web server it would miss what that server has from its framework.
        var here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        using var command = System.Diagnostics.Process.Start(Program(Path.Combine(here, "..", "..", "Kintsugi.Cli", Path.GetFileName(here), "kintsugi"), arguments))!;
        var error = command.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var text = await command.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await command.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (command.ExitCode, text + await error);
    }

    public async Task<IReadOnlyList<CaseRow>> Cases()
    {
        if (Ledger is not null)
        {
            await using var shared = PostgresLedger.Open(Ledger);
            return await shared.Cases(null, TestContext.Current.CancellationToken);
        }
        var path = Path.Combine(State, "ledger.db");
        if (!File.Exists(path))
            return [];
        await using var ledger = SqliteLedger.Open(path);
        return await ledger.Cases(null, TestContext.Current.CancellationToken);
    }

    private ProcessStartInfo Program(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;
        start.Environment["KINTSUGI_STATE"] = State;
        return start;
    }

    public void Start()
    {
        process = System.Diagnostics.Process.Start(Program(Path.Combine(AppContext.BaseDirectory, "kintsugi"), "serve", "-c", ConfigurationFile, "--listen", $"127.0.0.1:{Port}", "--grace", "1"))!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public async Task Signal(string signal)
    {
        using var kill = System.Diagnostics.Process.Start("kill", ["-s", signal, process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async Task<int> End()
    {
        await process!.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);
        return process.ExitCode;
    }

    public async Task<string> Metrics() => await http.GetStringAsync(new Uri($"http://127.0.0.1:{Port}/metrics"), TestContext.Current.CancellationToken);

    public Task Until(string what, Func<bool> holds) => Until(what, () => Task.FromResult(holds()));

    /// <summary>Asks again until it holds; the message of a failure is all that the service said.</summary>
    public async Task Until(string what, Func<Task<bool>> holds)
    {
        var begun = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while (!await Holds(holds))
        {
            Assert.False(Ended, $"the service ended while \"{what}\" was awaited\n{Said}");
            Assert.True(Stopwatch.GetElapsedTime(begun) < Patience, $"in vain: {what}\n{Said}");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null && !Ended)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
        process?.Dispose();
        http.Dispose();
        Directory.Delete(home, recursive: true);
    }

    private static async Task<bool> Holds(Func<Task<bool>> holds)
    {
        try
        {
            return await holds();
        }
        catch (HttpRequestException)
        {
            return false; // it does not listen yet
        }
    }

    private void Keep(string? line)
    {
        lock (said)
            said.AppendLine(line);
    }
}
