namespace Kintsugi;

/// <summary>What one probe of a database found out: version, privileges, extensions, standby or primary, files reachable or not.</summary>
public sealed record Capabilities
{
    /// <summary>server_version_num / 10000: 13 to 18 and later.</summary>
    public required int Major { get; init; }

    /// <summary>server_version_num: 150018.</summary>
    public required int VersionNumber { get; init; }

    /// <summary>server_version as the server writes it.</summary>
    public required string Version { get; init; }
    public required string SystemIdentifier { get; init; }
    public int Timeline { get; init; }
    public bool InRecovery { get; init; }

    /// <summary>Another one after a crash.</summary>
    public string Checkpointer { get; init; } = "";
    public bool Superuser { get; init; }
    public string User { get; init; } = "";
    public bool? DataChecksums { get; init; }

    /// <summary>As the server tells it; null where this role may not see it.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>The files can be read on this machine.</summary>
    public bool FilesReachable { get; init; }

    /// <summary>A server works on these files although it cannot be asked; false where it is asked, or where there is none.</summary>
    public bool ServerRuns { get; init; }

    /// <summary>Installed extensions of this database: name to version and schema.</summary>
    public IReadOnlyDictionary<string, ExtensionFacts> Extensions { get; init; } = new Dictionary<string, ExtensionFacts>();

    /// <summary>Extensions that CREATE EXTENSION could install.</summary>
    public IReadOnlySet<string> Available { get; init; } = new HashSet<string>();

    /// <summary>Signatures of extension functions that exist and that this role may execute, as amcheck.bt_index_check(regclass,boolean,boolean).</summary>
    public IReadOnlySet<string> Functions { get; init; } = new HashSet<string>();

    /// <summary>Role memberships that matter: pg_read_all_data, pg_monitor, pg_read_server_files …</summary>
    public IReadOnlySet<string> Roles { get; init; } = new HashSet<string>();

    /// <summary>Settings that checks and the healer look at (pg_settings, as text).</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>The encoding of the database (UTF8, SQL_ASCII …).</summary>
    public string Encoding { get; init; } = "UTF8";

    public bool Has(string extension) => Extensions.ContainsKey(extension);

    /// <summary>The quoted schema-qualified name of an extension's function, or null when this role cannot call it.</summary>
    /// <param name="extension">amcheck, pg_visibility, pageinspect, pg_surgery, pg_walinspect, pg_buffercache.</param>
    /// <param name="signature">Name and argument types: verify_heapam(regclass,boolean,boolean,text,bigint,bigint).</param>
    public string? Function(string extension, string signature) =>
        Extensions.TryGetValue(extension, out var facts) && Functions.Contains($"{extension}.{signature}")
            ? $"{facts.QuotedSchema}.{signature[..signature.IndexOf('(', StringComparison.Ordinal)]}"
            : null;
}

/// <param name="QuotedSchema">The schema that holds its functions, quoted for SQL.</param>
public sealed record ExtensionFacts(string Version, string QuotedSchema)
{
    /// <summary>Not installed in the database: its functions are made in the session's temporary schema for one transaction and rolled back.</summary>
    public bool Borrowed { get; init; }
}
