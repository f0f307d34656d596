using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Schema kintsugi of a patient: the audit log and the quarantine, made at the first repair of rows and nobody else's to see. What restores a
/// row is each column's text as its type writes it, or raw bytes where that is no text; jsonb is for people.
/// </summary>
internal static class PatientSchema
{
    public const string Name = "kintsugi";

    /// <summary>Each is run once, in this order.</summary>
    private static readonly string[] Migrations =
    [
        """
        CREATE TABLE kintsugi.audit_log (
            id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            event_type pg_catalog.text NOT NULL, severity pg_catalog.text NOT NULL, message pg_catalog.text NOT NULL,
            metadata pg_catalog.jsonb NOT NULL DEFAULT '{}', case_id pg_catalog.text);
        CREATE INDEX audit_log_token_idx ON kintsugi.audit_log ((metadata ->> 'token')) WHERE metadata ->> 'token' IS NOT NULL;
        CREATE TABLE kintsugi.quarantine (
            id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            case_id pg_catalog.text NOT NULL, relation pg_catalog.regclass, relation_name pg_catalog.text NOT NULL,
            kind pg_catalog.text NOT NULL, rule pg_catalog.text, key pg_catalog.jsonb NOT NULL,
            columns pg_catalog.text[] NOT NULL, types pg_catalog.text[] NOT NULL, "values" pg_catalog.text[] NOT NULL,
            raw pg_catalog.bytea[] NOT NULL, display pg_catalog.jsonb NOT NULL, row_xmin pg_catalog.text, row_ctid pg_catalog.text,
            changed pg_catalog.text[] NOT NULL DEFAULT '{}', after pg_catalog.text[], after_ctid pg_catalog.text, after_xmin pg_catalog.text,
            token pg_catalog.text NOT NULL, restored_at pg_catalog.timestamptz);
        CREATE INDEX quarantine_case_idx ON kintsugi.quarantine (case_id);
        REVOKE ALL ON kintsugi.audit_log, kintsugi.quarantine FROM PUBLIC;
        """,
        // Which columns a kept row's values belong to, whatever they are called when it is put back; and which transactions had ended when a row
        // was brought back.
        """
        ALTER TABLE kintsugi.quarantine ADD COLUMN relation_oid pg_catalog.oid, ADD COLUMN numbers pg_catalog.int2[], ADD COLUMN horizon pg_catalog.text;
        """,
    ];

    /// <summary>Makes what is missing, in one transaction; a kill leaves either nothing or all of it.</summary>
    /// <returns>The role that owns it: all writing there is done as that role, so that nobody's trigger gets our rights.</returns>
    public static async ValueTask<string> Ensure(WriteSession session, CancellationToken cancellationToken)
    {
        var owner = await Owner(session, cancellationToken);
        if (owner is not null && await Version(session, cancellationToken) == Migrations.Length)
            return owner;
        await session.Execute("BEGIN", cancellationToken);
        try
        {
            // IF NOT EXISTS asks for the right to create schemas even where it exists; one made for this role by a person is enough.
            if (owner is null)
                await session.Execute("CREATE SCHEMA IF NOT EXISTS kintsugi", cancellationToken);
            await session.Execute("""
                REVOKE ALL ON SCHEMA kintsugi FROM PUBLIC;
                CREATE TABLE IF NOT EXISTS kintsugi.version (version pg_catalog.int4 PRIMARY KEY, at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now());
                REVOKE ALL ON kintsugi.version FROM PUBLIC
                """, cancellationToken);
            for (var version = await Version(session, cancellationToken); version < Migrations.Length; version++)
            {
                await session.Execute(Migrations[version], cancellationToken);
                await session.Execute("INSERT INTO kintsugi.version (version) VALUES ($1)", cancellationToken, version + 1);
            }
            await session.Execute("COMMIT", cancellationToken);
        }
        catch (PatientException problem) when (session.IsOpen)
        {
            await session.Execute("ROLLBACK", CancellationToken.None);
            throw problem.SqlState == SqlStates.InsufficientPrivilege
                ? new HealingException("rows are only touched where their old state can be kept: this role may not create schema kintsugi. "
                    + "GRANT CREATE ON DATABASE … TO this role, or create the schema for it", mayPass: false, problem)
                : problem;
        }
        return await Owner(session, cancellationToken)
            ?? throw new HealingException("schema kintsugi vanished while it was made", mayPass: true);
    }

    /// <summary>The owner of the schema, or null where there is none.</summary>
    public static async ValueTask<string?> Owner(WriteSession session, CancellationToken cancellationToken) => await session.Value<string>(
        "SELECT pg_catalog.pg_get_userbyid(n.nspowner)::pg_catalog.text FROM pg_catalog.pg_namespace n WHERE n.nspname = 'kintsugi'",
        cancellationToken);

    /// <summary>How many migrations were run; 0 before the first.</summary>
    public static async ValueTask<int> Version(WriteSession session, CancellationToken cancellationToken) =>
        await session.Value<bool>("SELECT pg_catalog.to_regclass('kintsugi.version') IS NOT NULL", cancellationToken)
            ? await session.Value<int>("SELECT coalesce(pg_catalog.max(v.version), 0) FROM kintsugi.version v", cancellationToken)
            : 0;
}
