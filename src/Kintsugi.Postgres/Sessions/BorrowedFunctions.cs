using System.Text.RegularExpressions;

namespace Kintsugi.Postgres.Sessions;

/// <summary>
/// Functions of contrib modules that lie on the server but are not installed in the database: a superuser's session borrows them for one
/// transaction, as functions of its own temporary schema, and the transaction is rolled back. Nothing is installed and nothing stays
/// (docs/decisions/2026-11-23-borrowed-functions.md).
/// </summary>
internal static partial class BorrowedFunctions
{
    /// <param name="Signature">As Capabilities.Function takes it: input arguments only.</param>
    /// <param name="Sql">Arguments and result, as the extension's own script declares them.</param>
    private sealed record Definition(string Extension, string Signature, string Sql, string Symbol, int Since = 13, int Until = 99);

    private const string Regclass = "pg_catalog.regclass";
    private const string Strict = " STRICT";

    private static string BrinItem(string block) =>
        $"OUT itemoffset integer, OUT blknum {block}, OUT attnum integer, OUT allnulls boolean, OUT hasnulls boolean, OUT placeholder boolean";

    private static readonly Definition[] All =
    [
        // From 17 on only the form that is called: each one more is a statement before every check.
        new("amcheck", "bt_index_check(regclass,boolean)", $"({Regclass}, boolean) RETURNS void", "bt_index_check", 13, 16),
        new("amcheck", "bt_index_check(regclass,boolean,boolean)", $"({Regclass}, boolean, boolean) RETURNS void", "bt_index_check", 17),
        new("amcheck", "bt_index_parent_check(regclass,boolean,boolean)", $"({Regclass}, boolean, boolean) RETURNS void", "bt_index_parent_check",
            13, 16),
        new("amcheck", "bt_index_parent_check(regclass,boolean,boolean,boolean)", $"({Regclass}, boolean, boolean, boolean) RETURNS void",
            "bt_index_parent_check", 17),
        new("amcheck", "verify_heapam(regclass,boolean,boolean,text,bigint,bigint)",
            $"({Regclass}, boolean, boolean, text, bigint, bigint, OUT blkno bigint, OUT offnum integer, OUT attnum integer, OUT msg text) "
            + "RETURNS SETOF record", "verify_heapam", 14),
        new("amcheck", "gin_index_check(regclass)", $"({Regclass}) RETURNS void", "gin_index_check", 18),
        new("pg_visibility", "pg_check_visible(regclass)", $"({Regclass}, OUT t_ctid tid) RETURNS SETOF tid", "pg_check_visible"),
        new("pg_visibility", "pg_check_frozen(regclass)", $"({Regclass}, OUT t_ctid tid) RETURNS SETOF tid", "pg_check_frozen"),
        new("pg_visibility", "pg_visibility_map(regclass)",
            $"({Regclass}, OUT blkno bigint, OUT all_visible boolean, OUT all_frozen boolean) RETURNS SETOF record", "pg_visibility_map_rel"),
        new("pg_visibility", "pg_visibility_map(regclass,bigint)",
            $"({Regclass}, bigint, OUT all_visible boolean, OUT all_frozen boolean) RETURNS record", "pg_visibility_map"),
        new("pg_visibility", "pg_visibility(regclass)",
            $"({Regclass}, OUT blkno bigint, OUT all_visible boolean, OUT all_frozen boolean, OUT pd_all_visible boolean) RETURNS SETOF record",
            "pg_visibility_rel"),
        new("pg_visibility", "pg_visibility_map_summary(regclass)",
            $"({Regclass}, OUT all_visible bigint, OUT all_frozen bigint) RETURNS record", "pg_visibility_map_summary"),
        new("pageinspect", "get_raw_page(text,bigint)", "(text, bigint) RETURNS bytea", "get_raw_page_1_9", 14),
        new("pageinspect", "get_raw_page(text,text,bigint)", "(text, text, bigint) RETURNS bytea", "get_raw_page_fork_1_9", 14),
        new("pageinspect", "get_raw_page(text,integer)", "(text, integer) RETURNS bytea", "get_raw_page", 13, 13),
        new("pageinspect", "get_raw_page(text,text,integer)", "(text, text, integer) RETURNS bytea", "get_raw_page_fork", 13, 13),
        new("pageinspect", "brin_page_items(bytea,regclass)", $"(bytea, {Regclass}, {BrinItem("integer")}, OUT value text) RETURNS SETOF record",
            "brin_page_items", 13, 13),
        new("pageinspect", "brin_page_items(bytea,regclass)", $"(bytea, {Regclass}, {BrinItem("bigint")}, OUT value text) RETURNS SETOF record",
            "brin_page_items", 14, 15),
        new("pageinspect", "brin_page_items(bytea,regclass)",
            $"(bytea, {Regclass}, {BrinItem("bigint")}, OUT empty boolean, OUT value text) RETURNS SETOF record", "brin_page_items", 16),
    ];

    /// <summary>Adds what can be borrowed: by a superuser, not on a standby, from modules that the server has.</summary>
    public static Capabilities Lend(Capabilities can)
    {
        if (!can.Superuser || can.InRecovery)
            return can;
        var lent = All.Where(it => !can.Has(it.Extension) && can.Available.Contains(it.Extension) && can.Major >= it.Since && can.Major <= it.Until)
            .ToList();
        var extensions = can.Extensions.ToDictionary();
        foreach (var extension in lent.Select(it => it.Extension).Distinct())
            extensions[extension] = new ExtensionFacts("borrowed", "pg_temp") { Borrowed = true };
        return can with
        {
            Extensions = extensions,
            Functions = can.Functions.Concat(lent.Select(it => $"{it.Extension}.{it.Signature}")).ToHashSet(),
        };
    }

    /// <summary>The statements that make what that SQL calls, or null when it borrows nothing.</summary>
    public static string? Needed(string sql, int major)
    {
        if (!sql.Contains("pg_temp.", StringComparison.Ordinal))
            return null;
        var names = Calls().Matches(sql).Select(match => match.Groups[1].Value).ToHashSet();
        var needed = All.Where(it => names.Contains(it.Signature[..it.Signature.IndexOf('(', StringComparison.Ordinal)])
            && major >= it.Since && major <= it.Until).ToList();
        return needed.Count == 0 ? null : string.Join("; ", needed.Select(it =>
            $"CREATE FUNCTION pg_temp.{it.Signature[..it.Signature.IndexOf('(', StringComparison.Ordinal)]}{it.Sql} "
            + $"AS '$libdir/{it.Extension}', '{it.Symbol}' LANGUAGE c{(it.Symbol == "verify_heapam" ? "" : Strict)}"));
    }

    [GeneratedRegex(@"\bpg_temp\.([a-z_0-9]+)\(")]
    private static partial Regex Calls();
}
