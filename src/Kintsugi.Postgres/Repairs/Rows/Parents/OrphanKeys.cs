using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>Which foreign key a finding is about, and what its orphans refer to, as it lies on their pages.</summary>
internal static class OrphanKeys
{
    /// <summary>Null where the schema does not declare it (any more).</summary>
    public static ForeignKey? Accused(Finding finding, IReadOnlyList<ForeignKey> keys) => keys.FirstOrDefault(key =>
        key.Name == finding.Target.Rule && key.Child.Schema == finding.Target.ObjectSchema && key.Child.Name == finding.Target.Object);

    /// <summary>The children for a FROM clause, under the name that the key's condition has for them.</summary>
    public static string From(ForeignKey key) => $"ONLY {Quote.Name(key.Child)} AS {Quote.Identifier(key.Child.Name)}";

    /// <summary>Null where only the server can tell whether two keys are equal.</summary>
    public static async ValueTask<IReadOnlySet<string>?> Wanted(
        ForeignKey key, PageSearch pages, Patient patient, CancellationToken cancellationToken)
    {
        if (!patient.Relations.RowsSeen.TryGetValue((key.Child.Oid, key.Violation), out var places))
            places = await patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows(
                $"SELECT {Quote.Identifier(key.Child.Name)}.ctid::pg_catalog.text FROM {From(key)} WHERE ({key.Violation}) LIMIT {RowSelection.Most}",
                found => found.GetString(0), cancellationToken), cancellationToken);
        return await new DeadParents(key, pages, patient.Session).Wanted(places, cancellationToken);
    }
}
