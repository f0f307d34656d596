using Kintsugi.Postgres.Checks.References;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Owner;

/// <summary>
/// Makes foreign keys of the owner's undeclared references, with the equality that the parent's own type would be indexed by.
/// </summary>
internal static class RuleReferences
{
    /// <summary>
    /// The equality of the default btree class of the parent's type ($1) with the child's type ($2), as CREATE TABLE chooses one
    /// for a foreign key (tablecmds.c, transformFkeyCheckAttrs): of both types if there is one, else of the class's own type
    /// where the child's converts to it.
    /// </summary>
    private const string Equality = """
        SELECT 'OPERATOR(' || pg_catalog.quote_ident(n.nspname) || '.' || o.oprname || ')',
               CASE WHEN lt.typtype = 'p' OR o.oprleft = $1 THEN '' ELSE '::' || pg_catalog.format_type(o.oprleft, -1) END,
               CASE WHEN rt.typtype = 'p' OR o.oprright = $2 THEN '' ELSE '::' || pg_catalog.format_type(o.oprright, -1) END
        FROM pg_catalog.pg_opclass c
        JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
        JOIN pg_catalog.pg_type ct ON ct.oid = c.opcintype
        JOIN pg_catalog.pg_type pt ON pt.oid = $1
        JOIN pg_catalog.pg_amop a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 3 AND a.amoplefttype = c.opcintype
        JOIN pg_catalog.pg_operator o ON o.oid = a.amopopr
        JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
        JOIN pg_catalog.pg_type lt ON lt.oid = o.oprleft
        JOIN pg_catalog.pg_type rt ON rt.oid = o.oprright
        WHERE c.opcdefault
          AND (c.opcintype = $1
               OR EXISTS (SELECT FROM pg_catalog.pg_cast k WHERE k.castsource = $1 AND k.casttarget = c.opcintype
                 AND k.castmethod = 'b' AND k.castcontext = 'i')
               OR ct.typname = 'anyenum' AND pt.typtype = 'e' AND $1 = $2 OR ct.typname = 'anyrange' AND pt.typtype = 'r'
                 AND $1 = $2
               OR ct.typname = 'anyarray' AND pt.typcategory = 'A' AND $1 = $2)
          AND (a.amoprighttype = $2 OR rt.typtype = 'p' AND $1 = $2
               OR a.amoprighttype = c.opcintype
                  AND EXISTS (SELECT FROM pg_catalog.pg_cast k WHERE k.castsource = $2 AND k.casttarget = a.amoprighttype
                    AND k.castcontext = 'i'))
        ORDER BY c.opcintype = $1 DESC, a.amoprighttype = $2 DESC LIMIT 1
        """;

    /// <returns>One key for each table that holds rows of the child, or why there is none.</returns>
    public static async ValueTask<(IReadOnlyList<ForeignKey> Keys, string? Why)> Resolve(
        ForeignKeyRule rule, Patient patient, CancellationToken cancellationToken)
    {
        if (RuleTables.Find(rule.Table, patient) is not { } child)
            return ([], RuleTables.NoTable(rule.Table));
        if (RuleTables.Find(rule.ReferencedTable, patient) is not { } parent)
            return ([], RuleTables.NoTable(rule.ReferencedTable));
        var columns = await RuleTables.ColumnsOf(child, patient.Session, cancellationToken);
        var referenced = await RuleTables.ColumnsOf(parent, patient.Session, cancellationToken);
        if (rule.Columns.FirstOrDefault(name => !columns.ContainsKey(name)) is { } lost)
            return ([], RuleTables.NoColumn(rule.Table, lost));
        if (rule.ReferencedColumns.FirstOrDefault(name => !referenced.ContainsKey(name)) is { } gone)
            return ([], RuleTables.NoColumn(rule.ReferencedTable, gone));
        if (rule.Columns.Count == 0 || rule.Columns.Count != rule.ReferencedColumns.Count)
            return ([], "it names more columns on one side than on the other; mend the configuration");

        var pairs = new List<(string Operator, string ParentCast, string Cast)>();
        foreach (var (column, to) in rule.Columns.Zip(rule.ReferencedColumns, (a, b) => (columns[a], referenced[b])))
        {
            var equality = await patient.Session.Rows(Equality, row => (row.GetString(0), row.GetString(1), row.GetString(2)),
                cancellationToken, to.BaseOid, column.BaseOid);
            if (equality.Count == 0)
                return ([], $"{rule.Table}.{column.Name} ({column.Base}) cannot be compared with "
                    + $"{rule.ReferencedTable}.{to.Name} ({to.Base}) by an index's equality");
            // Domains are taken for what they rest on.
            pairs.Add((equality[0].Item1, equality[0].Item2.Length > 0 ? equality[0].Item2 : $"::{to.Base}",
                equality[0].Item3.Length > 0 ? equality[0].Item3 : $"::{column.Base}"));
        }
        var parents = await RuleTables.HeapsOf(parent, patient, cancellationToken);
        return ([.. (await RuleTables.HeapsOf(child, patient, cancellationToken)).Select(heap => new ForeignKey
        {
            Name = rule.Name,
            Child = heap,
            Root = child,
            Parent = parent,
            ParentHeaps = parents,
            Columns = rule.Columns,
            ParentColumns = rule.ReferencedColumns,
            Operators = [.. pairs.Select(pair => pair.Operator)],
            ParentCasts = [.. pairs.Select(pair => pair.ParentCast)],
            Casts = [.. pairs.Select(pair => pair.Cast)],
            Collations = [.. rule.ReferencedColumns.Select(name => referenced[name].Collation)],
            KeyLength = rule.Columns.Count,
            Where = rule.Where,
            Declared = false,
            Triggers = "missing",
            Definition =
                $"{rule.Name}: {rule.Table} ({string.Join(", ", rule.Columns)}) to {rule.ReferencedTable} "
                    + $"({string.Join(", ", rule.ReferencedColumns)})",
        })], null);
    }
}
