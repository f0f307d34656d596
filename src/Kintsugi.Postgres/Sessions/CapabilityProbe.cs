using Kintsugi.Postgres.Files;

namespace Kintsugi.Postgres.Sessions;

/// <summary>One probe of a database: what can be examined and repaired here. Signatures and privileges count, not version numbers.</summary>
public static class CapabilityProbe
{
    /// <summary>
    /// When the checkpointer was started: it is started anew after a crash, which the postmaster's own start time does not tell.
    /// Its start time is visible to everybody; where its type is hidden from this role, the numbers of all auxiliary processes serve.
    /// </summary>
    internal const string Checkpointer = """
        coalesce((SELECT s.backend_start::pg_catalog.text FROM pg_catalog.pg_stat_activity s WHERE s.backend_type = 'checkpointer'),
                 (SELECT pg_catalog.string_agg(s.pid::pg_catalog.text, ',' ORDER BY s.pid) FROM pg_catalog.pg_stat_activity s
                  WHERE s.datid IS NULL AND s.backend_type IS NULL), '')
        """;

    private const string Facts = $"""
        SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4, pg_catalog.current_setting('server_version'),
               pg_catalog.pg_is_in_recovery(), current_user::pg_catalog.text,
               (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user),
               pg_catalog.current_setting('data_checksums', true), pg_catalog.pg_encoding_to_char(d.encoding),
               extract(epoch FROM pg_catalog.pg_postmaster_start_time())::pg_catalog.int8, {Checkpointer}
        FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
        """;

    /// <summary>What there are many of, each line with its kind: one round trip, for a health check has few.</summary>
    private const string Lists = """
        SELECT 'setting', s.name, s.setting, NULL FROM pg_catalog.pg_settings s
        UNION ALL
        SELECT 'available', a.name::pg_catalog.text, NULL, NULL FROM pg_catalog.pg_available_extensions a
        UNION ALL
        SELECT 'extension', e.extname::pg_catalog.text, e.extversion, pg_catalog.quote_ident(n.nspname)
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        UNION ALL
        SELECT 'role', r.rolname::pg_catalog.text, NULL, NULL FROM pg_catalog.pg_roles r
        WHERE r.rolname LIKE 'pg\_%' AND pg_catalog.pg_has_role(current_user, r.oid, 'USAGE')
        UNION ALL
        SELECT 'function', e.extname::pg_catalog.text || '.' || p.proname || '('
               || coalesce((SELECT pg_catalog.string_agg(t.typname, ',' ORDER BY a.place)
                            FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) WITH ORDINALITY a(type, place)
                            JOIN pg_catalog.pg_type t ON t.oid = a.type), '') || ')', NULL, NULL
        FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
             AND d.deptype = 'e' AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        JOIN pg_catalog.pg_proc p ON p.oid = d.objid
        WHERE e.extname IN ('amcheck', 'pg_visibility', 'pageinspect', 'pg_surgery', 'pg_buffercache', 'pg_walinspect', 'pg_prewarm')
          AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AND pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE')
        """;

    public static async ValueTask<Capabilities> Probe(IReadSession session, string? dataDirectory, CancellationToken cancellationToken)
    {
        var facts = (await session.Rows(Facts, row => (Number: row.GetInt32(0), Version: row.GetString(1), Recovery: row.GetBoolean(2),
            User: row.GetString(3), Super: row.GetBoolean(4), Checksums: row.IsDBNull(5) ? null : row.GetString(5),
            Encoding: row.GetString(6), Started: row.GetInt64(7), Checkpointer: row.GetString(8)), cancellationToken))[0];
        var control = await Control(session, cancellationToken);
        var lists = (await session.Rows(Lists, row => (Kind: row.GetString(0), Name: row.GetString(1), Value: row.IsDBNull(2) ? "" : row.GetString(2),
            Schema: row.IsDBNull(3) ? "" : row.GetString(3)), cancellationToken)).ToLookup(line => line.Kind);
        var settings = lists["setting"].ToDictionary(line => line.Name, line => line.Value);
        var directory = dataDirectory ?? settings.GetValueOrDefault("data_directory");
        return BorrowedFunctions.Lend(new Capabilities
        {
            Major = facts.Number / 10000,
            VersionNumber = facts.Number,
            Version = facts.Version.Split(' ')[0],
            SystemIdentifier = control.Identifier ?? "unknown",
            Timeline = control.Timeline,
            InRecovery = facts.Recovery,
            Checkpointer = facts.Checkpointer,
            User = facts.User,
            Superuser = facts.Super,
            DataChecksums = facts.Checksums is null ? null : facts.Checksums == "on",
            Encoding = facts.Encoding,
            DataDirectory = directory,
            FilesReachable = directory is not null && control.Identifier is not null
                && LocalFiles.SystemIdentifier(directory) == control.Identifier && LocalFiles.RunsSince(directory, facts.Started),
            Settings = settings,
            Extensions = lists["extension"].ToDictionary(line => line.Name, line => new ExtensionFacts(line.Value, line.Schema)),
            Available = lists["available"].Select(line => line.Name).ToHashSet(),
            Functions = lists["function"].Select(line => Manual(line.Name)).ToHashSet(),
            Roles = lists["role"].Select(line => line.Name).ToHashSet(),
        });
    }

    /// <summary>Type names as the manual writes them: pg_type knows bool and int8.</summary>
    private static string Manual(string signature)
    {
        var open = signature.IndexOf('(', StringComparison.Ordinal);
        var types = signature[(open + 1)..^1].Split(',').Select(type => type switch
        {
            "bool" => "boolean",
            "int8" => "bigint",
            "int4" => "integer",
            "_tid" => "tid[]",
            _ => type,
        });
        return $"{signature[..open]}({string.Join(',', types)})";
    }

    /// <summary>
    /// Of a primary the one that it writes: for some time after a promotion its control file still tells the old one (CreateEndOfRecoveryRecord, xlog.c).
    /// </summary>
    internal const string Timeline = "CASE WHEN pg_catalog.pg_is_in_recovery() THEN (SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() c) "
        + "ELSE ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::pg_catalog.bit(32)::pg_catalog.int4 END";

    private static async ValueTask<(string? Identifier, int Timeline)> Control(IReadSession session, CancellationToken cancellationToken)
    {
        try
        {
            return (await session.Rows(
                "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::pg_catalog.text, "
                + Timeline,
                row => (row.GetString(0), row.GetInt32(1)), cancellationToken))[0];
        }
        catch (PatientException problem) when (problem.SqlState == SqlStates.InsufficientPrivilege)
        {
            return (null, 0);
        }
    }
}
