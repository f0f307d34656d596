using System.CommandLine;
using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Cli.Options;

/// <summary>PostgreSQL's own options for naming a server and its databases.</summary>
internal sealed class PatientOptions
{
    private readonly Option<string?> host = new("--host", "-h") { Description = "database server host or socket directory" };
    private readonly Option<string?> port = new("--port", "-p") { Description = "database server port" };
    private readonly Option<string?> user = new("--username", "-U") { Description = "user name to connect as" };
    private readonly Option<string[]> database = new("--dbname", "-d") { Description = "database, connection URI or keyword string; repeats" };
    private readonly Option<bool> all = new("--all", "-a") { Description = "every database that accepts connections" };
    private readonly Option<string[]> exclude = new("--exclude-database") { Description = "databases to leave out (pattern); repeats" };
    private readonly Option<bool> never = new("--no-password", "-w") { Description = "never prompt for a password" };
    private readonly Option<bool> ask = new("--password", "-W") { Description = "prompt for a password before connecting" };
    private readonly Option<string?> config = new("--config", "-c") { Description = "configuration file (default: $KINTSUGI_CONFIG, else none)" };
    private readonly Option<string?> directory = new("--pgdata", "-D")
    {
        Description = "data directory: of the server, or, with no server running, a stopped one, a snapshot or a backup",
    };
    private readonly Argument<string?> positional = new("database")
    {
        Description = "database name or connection string, as with psql",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <param name="positional">Whether a database may be named without an option, as psql takes it.</param>
    public void AddTo(Command command, bool positional = true)
    {
        foreach (var option in new Option[] { host, port, user, database, all, exclude, never, ask, config, directory })
            command.Add(option);
        if (!positional)
            return;
        // A mistyped option must not become the name of a database.
        this.positional.Validators.Add(given =>
        {
            if (given.Tokens is [{ Value: ['-', ..] } token, ..])
                given.AddError($"there is no option {token.Value}");
        });
        command.Add(this.positional);
    }

    public PatientArguments Read(ParseResult parsed)
    {
        if (parsed.GetValue(never) && parsed.GetValue(ask))
            throw new Runtime.UsageException("-w and -W contradict each other: give one of them");
        var names = parsed.GetValue(database) ?? [];
        if ((parsed.GetResult(positional) is null ? null : parsed.GetValue(positional)) is { } name)
            names = [.. names, name];
        if (parsed.GetValue(all) && names.Any(given => !ConnectionResolver.IsConnectionString(given)))
            throw new Runtime.UsageException("--all and the name of a database contradict each other: give one of them");
        return new PatientArguments(
            new ConnectionRequest
            {
                Host = parsed.GetValue(host),
                Port = parsed.GetValue(port),
                User = parsed.GetValue(user),
                Databases = names,
                Prompt = parsed.GetValue(never) ? PasswordPrompt.Never
                    : parsed.GetValue(ask) ? PasswordPrompt.Always : PasswordPrompt.WhenNeeded,
            },
            parsed.GetValue(all), parsed.GetValue(exclude) ?? [], parsed.GetValue(config), parsed.GetValue(directory));
    }
}

/// <summary>Which patient was asked for.</summary>
internal sealed record PatientArguments(
    ConnectionRequest Request, bool AllDatabases, IReadOnlyList<string> ExcludedDatabases, string? ConfigFile, string? DataDirectory)
{
    /// <summary>The command looks at the patient at once: the session that met it goes on.</summary>
    public bool LooksAtOnce { get; init; }
}
