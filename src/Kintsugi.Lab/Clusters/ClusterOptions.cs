namespace Kintsugi.Lab;

/// <summary>How a throwaway cluster is made. The defaults are those of nearly every test.</summary>
public sealed record ClusterOptions
{
    /// <summary>Data checksums, on every major although 17 and older default to off: most injuries to files need them.</summary>
    public bool Checksums { get; init; } = true;

    /// <summary>The libc locale of template1.</summary>
    public string Locale { get; init; } = "C";

    /// <summary>An ICU locale as the default collation of all databases (15 and newer), or null.</summary>
    public string? IcuLocale { get; init; }

    /// <summary>WAL segment size in megabytes. Small, because every copy of the cluster carries two of them.</summary>
    public int WalSegmentMegabytes { get; init; } = 1;

    /// <summary>More lines for postgresql.conf, as name and value; they win over the lab's own.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>The arguments of initdb that follow from this, without the data directory.</summary>
    internal IReadOnlyList<string> InitDbArguments(int major)
    {
        var arguments = new List<string>
        {
            "--username=postgres", "--auth=trust", "--encoding=UTF8", $"--locale={Locale}", "--no-sync", "--no-instructions",
            $"--wal-segsize={WalSegmentMegabytes}",
        };
        if (major < 14)
            arguments.Remove("--no-instructions");
        if (Checksums)
            arguments.Add("--data-checksums");
        else if (major >= 18)
            arguments.Add("--no-data-checksums");
        if (IcuLocale is not null)
            arguments.AddRange(major >= 15
                ? ["--locale-provider=icu", $"--icu-locale={IcuLocale}"]
                : throw new LabException($"PostgreSQL {major} has no ICU default collation; leave {nameof(IcuLocale)} null."));
        return arguments;
    }
}

/// <summary>How a server is brought down: `pg_ctl stop -m`.</summary>
public enum StopMode
{
    /// <summary>With a shutdown checkpoint: the files are whole afterwards.</summary>
    Fast,

    /// <summary>Without one: the next start recovers from WAL.</summary>
    Immediate,
}
