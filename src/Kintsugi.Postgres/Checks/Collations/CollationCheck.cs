using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Collations;

/// <summary>
/// Collations whose library has another version than the one that was recorded when objects were built: the order may have
/// changed, and
/// every index, partition bound and ordering CHECK that rests on it may lie. One change of a library is one case, however many
/// objects it has.
/// </summary>
/// <remarks>REFRESH VERSION only silences the warning: it comes last (ALTER COLLATION, "Notes"). An unchanged
/// version does not
/// prove an unchanged order: <see cref="CollationFingerprint"/>.</remarks>
public sealed class CollationCheck : ICheck
{
    /// <summary>pg_collation.dat: the collation that stands for the database's own.</summary>
    private const uint Default = 100;

    public string Id => "collation";
    public string Proves => "every collation in use has the version under which its dependants were built";
    public Layer Layer => Layer.Index;
    public Depth Depth => Depth.Quick;
    public IReadOnlyList<FaultClass> Finds => [Faults.CollationChanged];
    public Needs Needs { get; } = new();

    private sealed record Change(uint Oid, string Schema, string Name, string Provider, string Recorded, string Actual)
    {
        public bool IsDatabase => Oid == Default;

        /// <summary>Everything that one new version of one library has touched.</summary>
        public string Cause => $"{(Provider == "i" ? "ICU" : "the operating system's")} collations changed from version "
            + $"{Recorded} to {Actual}";
    }

    private sealed record Dependant(uint Relation, string Kind, string? Constraint, uint Collation);

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var portions = new List<Portion> { new(Place(patient) with { Rule = "collations" }) };
        // Before 15 nothing is recorded for the database's own collation.
        portions.Add(new Portion(Place(patient) with { Rule = "default collation" })
        {
            Settled = patient.Can.Major >= 15 ? null : new Verdict.NotApplicable(
                $"PostgreSQL {patient.Can.Major} records no version of the database's own collation (since 15); compare its "
                    + $"fingerprint instead"),
        });
        return ValueTask.FromResult<IReadOnlyList<Portion>>(portions);
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var unknown = new List<string>();
        IReadOnlyList<Change> changes;
        if (portion.Target.Rule == "default collation")
        {
            var (provider, recorded, actual) = (await patient.Session.Rows(CollationSql.Database,
                row => (Text(row, 0) ?? "", Text(row, 1), Text(row, 2)), cancellationToken))[0];
            if (actual is not null && recorded is null)
                return new Verdict.NotApplicable("no version was recorded for this database; ALTER DATABASE … REFRESH "
                    + "COLLATION VERSION after a REINDEX records it");
            changes = recorded == actual || recorded is null ? [] : [new Change(Default, "pg_catalog", "default", provider,
                recorded, actual ?? "none")];
        }
        else
        {
            changes = await Changed(patient, unknown, cancellationToken);
        }
        var findings = await Findings(changes, patient, cancellationToken);
        return findings.Count == 0 && unknown.Count > 0 ? new Verdict.Unchecked(string.Join("; ", unknown))
            : Verdict.From(findings);
    }

    /// <summary>One by one, because a locale that the system has lost raises an error.</summary>
    private static async ValueTask<IReadOnlyList<Change>> Changed(Patient patient, List<string> unknown,
        CancellationToken cancellationToken)
    {
        var recorded = await patient.Session.Rows(CollationSql.Recorded, row => new Change(
            row.GetFieldValue<uint>(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), ""),
                cancellationToken);
        var changes = new List<Change>();
        foreach (var collation in recorded)
        {
            try
            {
                var actual = (await patient.Session.Rows("SELECT pg_catalog.pg_collation_actual_version($1)", row => Text(row, 0),
                    cancellationToken, collation.Oid))[0];
                if (actual is not null && actual != collation.Recorded)
                    changes.Add(collation with { Actual = actual });
            }
            catch (PatientException problem) when (!problem.ConnectionLost)
            {
                unknown.Add($"the version of collation {collation.Name} cannot be told: {problem.Message}");
            }
        }
        return changes;
    }

    private static async ValueTask<IReadOnlyList<Finding>> Findings(IReadOnlyList<Change> changes, Patient patient,
        CancellationToken cancellationToken)
    {
        if (changes.Count == 0)
            return [];
        var dependants = await patient.Session.Rows(CollationSql.Dependants, row => new Dependant(
            row.GetFieldValue<uint>(0), row.GetString(1), Text(row, 2), row.GetFieldValue<uint>(3)), cancellationToken,
            (object)changes.Select(change => change.Oid).ToArray());
        var findings = new List<Finding>();
        foreach (var change in changes)
        {
            var own = dependants.Where(dependant => dependant.Collation == change.Oid).ToList();
            // A collation that nothing rests on cannot have damaged anything; the database's own always warns at every connection.
            if (own.Count > 0 || change.IsDatabase)
                findings.Add(OfCollation(change, own, patient));
            findings.AddRange(own.Where(dependant => dependant.Kind != "materialized view")
                .Select(dependant => OfDependant(change, dependant, patient)).OfType<Finding>());
        }
        return findings;
    }

    private static Finding OfCollation(Change change, IReadOnlyList<Dependant> dependants, Patient patient)
    {
        var target = change.IsDatabase ? Place(patient) with { Rule = "default collation" }
            : Place(patient) with { Kind = TargetKind.Catalog, Schema = "pg_catalog", Relation = "pg_collation",
                Object = change.Name, ObjectSchema = change.Schema };
        var names = dependants.Select(dependant => (dependant.Kind, Name: Name(dependant, patient))).ToLookup(pair => pair.Kind,
            pair => pair.Name);
        var facts = Facts(change);
        foreach (var kind in names)
            facts[kind.Key] = string.Join('\n', kind.Distinct());
        return new Finding(Faults.CollationChanged, target, $"expected the "
            + $"{(change.IsDatabase ? $"collation of database {patient.Relations.Database}" : $"collation {change.Name}")} "
            + $"to have version {change.Recorded}, under which its dependants were built, but the library has {change.Actual}; "
                + $"{dependants.Count} objects rest on it")
        {
            Hint = "rebuild and prove its dependants first; only then ALTER … REFRESH COLLATION VERSION, which merely silences "
                + "the warning",
            Facts = facts,
        };
    }

    private static Finding? OfDependant(Change change, Dependant dependant, Patient patient)
    {
        if (patient.Relations.Find(dependant.Relation) is not { } relation)
            return null;
        var facts = Facts(change);
        facts["kind"] = dependant.Kind;
        return new Finding(Faults.CollationChanged, relation.ToTarget(patient.Can.SystemIdentifier,
            patient.Relations.Database) with { Rule = dependant.Constraint },
            $"{dependant.Kind} {dependant.Constraint ?? relation.Name} rests on collation {change.Name}, version "
                + $"{change.Recorded} when it was built, now {change.Actual}")
        {
            Hint = dependant.Kind switch
            {
                "index" => "kintsugi heal rebuilds it",
                "partition" => "rows may lie in the wrong partition: kintsugi check -c partitions",
                _ => "rows may break it now: kintsugi check -c checks",
            },
            Facts = facts,
        };
    }

    private static Dictionary<string, string> Facts(Change change) => new()
    {
        ["cause"] = change.Cause,
        ["story"] = change.Cause,
        ["collation"] = change.IsDatabase ? "default" : Quote.Name(change.Schema, change.Name),
        ["collation_oid"] = change.Oid.ToString(CultureInfo.InvariantCulture),
        ["provider"] = change.Provider,
        ["recorded"] = change.Recorded,
        ["actual"] = change.Actual,
    };

    private static string Name(Dependant dependant, Patient patient)
    {
        var name = patient.Relations.Find(dependant.Relation) is { } relation ? Quote.Name(relation) : "?";
        return dependant.Constraint is null ? name : $"{name} {Quote.Identifier(dependant.Constraint)}";
    }

    private static Target Place(Patient patient) =>
        new() { Server = patient.Can.SystemIdentifier, Database = patient.Relations.Database, Kind = TargetKind.Database };

    private static string? Text(System.Data.Common.DbDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);
}
