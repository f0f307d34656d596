namespace Kintsugi;

/// <summary>What a check cannot do without. The scrub tests it before it looks; doctor prints what would change the answer.</summary>
public sealed record Needs
{
    /// <summary>A session in the database.</summary>
    public bool Sql { get; init; } = true;

    /// <summary>The list of a database's relations. A check of the server as a whole that goes by none says false: reading it takes longer than many such a look.</summary>
    public bool Relations { get; init; } = true;

    /// <summary>Read access to the data directory's files.</summary>
    public bool Files { get; init; }
    public bool Superuser { get; init; }

    /// <summary>Not in recovery.</summary>
    public bool Primary { get; init; }

    /// <summary>The first server version (major) on which it exists at all; older ones are not applicable.</summary>
    public int SinceMajor { get; init; } = 13;

    /// <summary>The extension whose functions it calls.</summary>
    public string? Extension { get; init; }

    /// <summary>Signatures of that extension, of which one must be callable by this role.</summary>
    public IReadOnlyList<string> AnyFunction { get; init; } = [];

    /// <summary>The strongest lock that it takes, in pg_locks' words.</summary>
    public string Lock { get; init; } = "AccessShare";

    /// <summary>What stands in the way here, or null when nothing does.</summary>
    public Lack? LackIn(Patient patient)
    {
        var can = patient.Can;
        if (can.Major < SinceMajor)
            return new Lack($"PostgreSQL {can.Major} has no such check (since {SinceMajor})", null, NotApplicable: true);
        if (Sql && patient.Sql is null)
            return new Lack("needs a running server", "start the server, or name it with -h and -p", NotApplicable: true);
        if (Files && patient.Files is null)
            return new Lack("the data directory cannot be read from here",
                "run on the server's own machine as the user that owns the data directory, or name it with -D", NotApplicable: false);
        if (Primary && can.InRecovery)
            return new Lack("cannot run on a standby", "run it on the primary", NotApplicable: true);
        if (Superuser && !can.Superuser)
            return new Lack($"role {can.User} is not a superuser", "connect as a superuser", NotApplicable: false);
        return LackOfExtension(can);
    }

    private Lack? LackOfExtension(Capabilities can)
    {
        if (Extension is null)
            return null;
        if (!can.Has(Extension))
            return can.Available.Contains(Extension)
                ? new Lack($"extension {Extension} is not installed in this database",
                    $"CREATE EXTENSION {Extension}; or: kintsugi doctor --install-missing", NotApplicable: false)
                : new Lack($"extension {Extension} is not available on this server",
                    "install PostgreSQL's contrib package on the server", NotApplicable: false);
        if (AnyFunction.Count == 0 || AnyFunction.Any(signature => can.Function(Extension, signature) is not null))
            return null;
        var schema = can.Extensions[Extension].QuotedSchema;
        return new Lack($"role {can.User} may not execute {Extension}.{AnyFunction[^1]}, or extension {Extension} "
            + $"{can.Extensions[Extension].Version} is too old to have it",
            $"GRANT EXECUTE ON FUNCTION {schema}.{AnyFunction[^1]} TO \"{can.User.Replace("\"", "\"\"")}\"; "
            + $"or after pg_upgrade: ALTER EXTENSION {Extension} UPDATE;", NotApplicable: false);
    }
}

/// <summary>Why a check cannot run here.</summary>
/// <param name="Remedy">The exact GRANT, CREATE EXTENSION or setting that would change it, or null.</param>
/// <param name="NotApplicable">Nothing could change it here: counted apart from Unchecked.</param>
public sealed record Lack(string Reason, string? Remedy, bool NotApplicable)
{
    public Verdict ToVerdict() => NotApplicable
        ? new Verdict.NotApplicable(Reason)
        : new Verdict.Unchecked(Remedy is null ? Reason : $"{Reason}; {Remedy}");
}
