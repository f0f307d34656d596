using System.Globalization;
using System.Text.Json;
using Kintsugi.Cli.Runtime;
using Kintsugi.Postgres.Connecting;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Fixtures;

/// <summary>What a command said and how it ended.</summary>
internal sealed record Said(int Code, string Out, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;
    public string All => Out + Error;

    /// <summary>One message, the way out of it, no stack trace, and the exit code of "could not run".</summary>
    public void MustRefuse(params string[] words)
    {
        Assert.True(Code == ExitCodes.CouldNotRun, $"exit {Code}\n{All}");
        Assert.StartsWith("kintsugi: ", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("defect in Kintsugi", Error, StringComparison.Ordinal);
        Assert.Empty(Out);
        foreach (var word in words)
            Assert.Contains(word, Error, StringComparison.Ordinal);
    }
}

/// <summary>Runs commands in this process, with surroundings and a state directory of their own.</summary>
internal sealed class Terminal : IDisposable
{
    private readonly string home;
    private readonly bool borrowed;

    public Terminal() : this(null)
    {
    }

    /// <param name="home">Of another terminal, whose state this one goes on with; null for one of its own.</param>
    public Terminal(string? home)
    {
        borrowed = home is not null;
        this.home = home ?? Directory.CreateTempSubdirectory("kintsugi-cli-").FullName;
        Variables["KINTSUGI_STATE"] = State;
    }

    public string Home => home;

    /// <summary>Told of every line of messages at the moment when it is written.</summary>
    public Action<string>? Heard { get; set; }

    public string State => Path.Combine(home, "state");
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>What the person types, or null where nobody sits there.</summary>
    public string? Typed { get; set; }

    public string NewFile(string name, string text)
    {
        var path = Path.Combine(home, name);
        File.WriteAllText(path, text);
        return path;
    }

    public string PathOf(string name) => Path.Combine(home, name);

    public Task<Said> On(TestDatabase database, params string[] arguments) => As("postgres", database, arguments);

    public Task<Said> As(string user, TestDatabase database, params string[] arguments) =>
        Run([arguments[0], .. Door(database, user), "-d", database.Name, .. arguments[1..]]);

    /// <summary>The options that lead to that server, without a database.</summary>
    public static string[] Door(TestDatabase database, string user = "postgres") =>
        ["-h", database.Cluster.SocketDirectory, "-p", database.Cluster.Port.ToString(CultureInfo.InvariantCulture), "-U", user];

    public Task<Said> Run(params string[] arguments) => Run(TestContext.Current.CancellationToken, arguments);

    public async Task<Said> Run(CancellationToken cancellationToken, params string[] arguments)
    {
        using var result = new StringWriter();
        using var error = new HeardWriter(Heard);
        var context = new CliContext
        {
            Out = result,
            Error = error,
            In = new StringReader(Typed ?? ""),
            Interactive = Typed is not null,
            Around = ConnectionSurroundings.OfThisProcess() with
            {
                Variable = name => Variables.GetValueOrDefault(name),
                OperatingSystemUser = "tester",
                Home = home,
            },
        };
        var code = await Application.Run(arguments, context, cancellationToken);
        return new Said(code, result.ToString(), error.ToString());
    }

    public void Dispose()
    {
        if (!borrowed)
            Directory.Delete(home, recursive: true);
    }

    private sealed class HeardWriter(Action<string>? heard) : StringWriter(CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            heard?.Invoke(value ?? "");
        }

        public override Task WriteLineAsync(string? value)
        {
            WriteLine(value);
            return Task.CompletedTask;
        }
    }
}
