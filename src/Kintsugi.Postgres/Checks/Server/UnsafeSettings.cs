namespace Kintsugi.Postgres.Checks.Server;

/// <summary>A value of a setting under which data can be lost, or damage is hidden or made.</summary>
internal sealed record UnsafeSetting(string Name, string Value, Severity Severity, string Why, string Remedy);

/// <summary>The settings that endanger data, as data (the manual: "Reliability", "Developer Options", "Write Ahead
/// Log").</summary>
internal static class UnsafeSettings
{
    public static IReadOnlyList<UnsafeSetting> All { get; } =
    [
        new("fsync", "off", Severity.Critical, "a crash of the machine leaves files that no recovery can mend",
            "set fsync = on, then run sync on the machine; what was written meanwhile is not proven"),
        new("full_page_writes", "off", Severity.Critical, "a crash leaves torn pages that WAL cannot repair",
            "set full_page_writes = on unless the file system proves that it writes 8 KiB at once"),
        new("zero_damaged_pages", "on", Severity.Critical, "every damaged page that is read becomes an empty one, its rows "
            + "without a trace",
            "set zero_damaged_pages = off at once; autovacuum obeys it too"),
        new("ignore_checksum_failure", "on", Severity.Critical, "damaged pages are read as if they were sound, and written "
            + "back with a new checksum",
            "set ignore_checksum_failure = off"),
        new("ignore_system_indexes", "on", Severity.Warning, "system catalogs are read without their indexes",
            "REINDEX SYSTEM, then set it off"),
        new("ignore_invalid_pages", "on", Severity.Critical, "recovery goes on past references to pages that do not exist",
            "set ignore_invalid_pages = off"),
        new("data_sync_retry", "on", Severity.Warning, "after a failed fsync the kernel may have dropped the data, and a "
            + "second try then succeeds",
            "set data_sync_retry = off"),
        new("session_replication_role", "replica", Severity.Critical, "foreign keys and triggers are not enforced",
            "set session_replication_role = origin, and look for orphans: kintsugi check -c foreign-keys"),
        new("allow_system_table_mods", "on", Severity.Warning, "the structure of system catalogs can be changed by hand",
            "set allow_system_table_mods = off"),
        new("autovacuum", "off", Severity.Warning, "transaction ids are consumed and nothing freezes them until the emergency "
            + "at wraparound", "set autovacuum = on"),
        new("track_counts", "off", Severity.Warning, "autovacuum cannot tell which tables need it", "set track_counts = on"),
    ];

    /// <summary>The booleans of the server's grammar (parse_bool_with_len, src/backend/utils/adt/bool.c).</summary>
    public static UnsafeSetting? Find(string name, string value) =>
        All.FirstOrDefault(setting => setting.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
            && setting.Value == Normal(value));

    private static string Normal(string value) => value.Trim().ToLowerInvariant() switch
    {
        "off" or "of" or "false" or "f" or "fa" or "fal" or "fals" or "no" or "n" or "0" => "off",
        "on" or "true" or "t" or "tr" or "tru" or "yes" or "y" or "ye" or "1" => "on",
        var other => other,
    };
}
