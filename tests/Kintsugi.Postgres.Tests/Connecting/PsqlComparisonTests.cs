using System.ComponentModel;
using System.Diagnostics;
using Kintsugi.Postgres.Connecting;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Connecting;

/// <summary>Psql itself and our driver knock at one door with the same arguments, variables and files:
/// they must give the same user, database, options and password.</summary>
public sealed class PsqlComparisonTests : IDisposable
{
    private const string PasswordLines = """
        # decoys
        127.0.0.1:1:*:*:wrong port
        127.0.0.1:*:special:*:for\:special
        localhost:*:*:*:by name
        *:*:*:bob:bob's
        """;

    private const string ServiceLines = """
        [other]
        host=192.0.2.1
        [s]
        host=127.0.0.1
        port={port}
        dbname=served
        options=-c geqo=off
        """;

    private readonly string _home = Directory.CreateTempSubdirectory("kintsugi-psql").FullName;

    /// <summary>Arguments and variables, by blanks; {port} and {home} are filled in.</summary>
    public static TheoryData<string[], string[]> Cases => new()
    {
        { ["-h", "127.0.0.1", "-p", "{port}"], [] },
        { ["-h", "127.0.0.1", "-p", "{port}", "-U", "bob", "-d", "app"], [] },
        { ["-d", "host=127.0.0.1 port={port} user=bob dbname=app password='p\\'w \\\\'"], [] },
        { ["-d", "postgresql://b%40b:p%2Fw@127.0.0.1:{port}/a%20b?options=-c%20geqo%3Doff"], [] },
        { ["-d", "postgres://:pw@127.0.0.1:{port}?dbname=app"], [] },
        { ["-d", "postgresql://127.0.0.1:{port}/special"], [] },
        { ["-d", "postgresql://%2Fnowhere:1,127.0.0.1:1,127.0.0.1:{port}/app"], [] },
        { ["-d", "postgresql://%2Fnowhere,127.0.0.1:{port}/app"], [] },
        { ["-d", "host=/nowhere,127.0.0.1 port={port}"], [] },
        { ["-d", "host=localhost hostaddr=127.0.0.1 port={port}"], [] },
        { ["-d", "user=a user=bob dbname='' host=127.0.0.1 port={port}"], [] },
        { ["-h", "192.0.2.1", "-U", "bob", "-d", "host=127.0.0.1 port={port}"], [] },
        { [], ["PGHOST=127.0.0.1", "PGPORT={port}", "PGUSER=bob", "PGDATABASE=d", "PGPASSWORD=pw", "PGOPTIONS=-c work_mem=4MB"] },
        { ["-d", "app"], ["PGHOST=127.0.0.1", "PGPORT={port}", "PGDATABASE=d", "PGPASSWORD="] },
        { ["-h", "localhost", "-p", "{port}"], ["PGHOSTADDR=127.0.0.1"] },
        { ["-d", "service=s"], [] },
        { ["-d", "service=s user=bob"], ["PGDATABASE=d", "PGOPTIONS=-c work_mem=4MB"] },
        { ["-U", "ann"], ["PGSERVICE=s", "PGHOST=192.0.2.1"] },
        { ["-d", "postgresql:///?service=s&user=bob"], [] },
        { ["-h", "{home}", "-p", "6543", "-d", "app"], [] },
        { ["-d", "postgresql://{home%}:6543/app"], ["PGSSLMODE=require"] },
        { ["-d", "ünïcode 😀"], ["PGHOST={home}", "PGPORT=6543", "PGUSER=ü"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Our_driver_says_of_itself_what_psql_says(string[] arguments, string[] variables)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var onSocket = string.Concat([.. arguments, .. variables]).Contains("6543", StringComparison.Ordinal);
        using var door = onSocket ? Doorkeeper.OnSocket($"{_home}/.s.PGSQL.6543") : Doorkeeper.OnTcp();
        var port = onSocket ? 6543 : door.Port;
        string Filled(string text) => text.Replace("{port}", $"{port}", StringComparison.Ordinal)
            .Replace("{home}", _home, StringComparison.Ordinal)
            .Replace("{home%}", Uri.EscapeDataString(_home), StringComparison.Ordinal);
        await WriteFiles(Filled(ServiceLines), cancellationToken);
        var given = arguments.Select(Filled).ToArray();
        var environment = variables.Select(Filled).Select(pair => pair.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);
        environment.TryAdd("PGSSLMODE", "disable");
        environment.TryAdd("PGGSSENCMODE", "disable");
        environment["HOME"] = _home;
        environment["PGCONNECT_TIMEOUT"] = "5";

        var theirs = door.Receive(cancellationToken);
        await RunPsql(given, environment, theirs);
        var ours = door.Receive(cancellationToken);
        await Connect(given, environment, cancellationToken);

        Assert.Equal(await theirs, await ours);
    }

    private async Task WriteFiles(string service, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync($"{_home}/.pg_service.conf", service, cancellationToken);
        await File.WriteAllTextAsync($"{_home}/.pgpass", PasswordLines, cancellationToken);
        File.SetUnixFileMode($"{_home}/.pgpass", UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static async Task RunPsql(string[] arguments, Dictionary<string, string> environment, Task received)
    {
        var start = new ProcessStartInfo("psql", ["-X", "-w", "-c", "select 1", .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            using var psql = Process.Start(start)!;
            var said = await psql.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await psql.WaitForExitAsync(TestContext.Current.CancellationToken);
            await Task.WhenAny(received, Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken));
            Assert.True(received.IsCompleted, $"psql never came to the door: {said}");
        }
        catch (Win32Exception)
        {
            Assert.Skip("psql is not installed here");
        }
    }

    private async Task Connect(string[] arguments, Dictionary<string, string> environment, CancellationToken cancellationToken)
    {
        string? Flag(string name) => Array.IndexOf(arguments, name) is >= 0 and var at ? arguments[at + 1] : null;
        var request = new ConnectionRequest
        {
            Host = Flag("-h"),
            Port = Flag("-p"),
            User = Flag("-U"),
            Databases = Flag("-d") is { } database ? [database] : [],
            Prompt = PasswordPrompt.Never,
        };
        var settings = ConnectionResolver.Resolve(
            request, new(environment.GetValueOrDefault, Environment.UserName, _home, new ConnectionFiles()));
        // A data source, as the sessions have it: it refuses some strings that a bare connection takes.
        await using var source = new NpgsqlSlimDataSourceBuilder(settings.ToDriver(pooling: false).ConnectionString)
            .EnableTransportSecurity().Build();
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await source.OpenConnectionAsync(cancellationToken));
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);
}
