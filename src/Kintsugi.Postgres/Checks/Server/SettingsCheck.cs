using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Server;

/// <summary>Settings that endanger data, wherever they are set: in force, in the files for the next start, for a role or a
/// database.</summary>
public sealed class SettingsCheck : ICheck
{
    public string Id => "settings";
    public string Proves => "no setting endangers data, and checksums are on";
    public Layer Layer => Layer.Server;
    public Depth Depth => Depth.Quick;
    public IReadOnlyList<FaultClass> Finds => [Faults.SettingUnsafe, Faults.ChecksumsOff];
    public Needs Needs { get; } = new() { Relations = false };
    public Scope Scope => Scope.Server;

    /// <summary>reset_val: our own session overrides some of them for itself.</summary>
    private const string InForce = "SELECT s.name, s.reset_val, 'in force (' || s.source || ')' FROM pg_catalog.pg_settings s "
        + "WHERE s.name = ANY ($1)";

    private const string InFiles = """
        SELECT f.name, f.setting, 'in ' || f.sourcefile || ' line ' || f.sourceline FROM pg_catalog.pg_file_settings f
        WHERE f.name = ANY ($1) AND f.setting IS NOT NULL AND f.error IS NULL
          AND f.seqno = (SELECT pg_catalog.max(l.seqno) FROM pg_catalog.pg_file_settings l WHERE l.name = f.name)
        """;

    private const string ForRoles = """
        SELECT pg_catalog.split_part(c, '=', 1), pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1),
               'for ' || coalesce('role ' || r.rolname, 'every role') || ' in ' || coalesce('database ' || d.datname,
                   'every database')
        FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
        WHERE pg_catalog.split_part(c, '=', 1) = ANY ($1)
        """;

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([
            Part(patient, "in force"), Part(patient, "in files"), Part(patient, "for roles"),
            Part(patient, "data_checksums") with { Settled = Checksums(patient) }]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var sql = portion.Target.Rule switch { "in force" => InForce, "in files" => InFiles, _ => ForRoles };
        try
        {
            var values = await patient.Session.Rows(sql, row => (Name: row.GetString(0), Value: row.GetString(1),
                Where: row.GetString(2)),
                cancellationToken, (object)UnsafeSettings.All.Select(setting => setting.Name).ToArray());
            return Verdict.From([.. values.Select(it => (Setting: UnsafeSettings.Find(it.Name, it.Value), it.Where))
                .Where(it => it.Setting is not null)
                .GroupBy(it => it.Setting!.Name)
                .Select(group => ToFinding(group.First().Setting!, string.Join(", ", group.Select(it => it.Where)), portion,
                    patient))]);
        }
        catch (PatientException problem) when (problem.SqlState == SqlStates.InsufficientPrivilege)
        {
            // What is in force is visible to everybody; only what the files hold for the next start is not.
            return new Verdict.NotApplicable($"role {patient.Can.User} may not read the configuration files; GRANT "
                + $"pg_read_all_settings TO {patient.Can.User}");
        }
    }

    private static Finding ToFinding(UnsafeSetting setting, string where, Portion portion, Patient patient) =>
        new(Faults.SettingUnsafe, Place(patient) with { Kind = TargetKind.Setting,
            Rule = $"{setting.Name} {portion.Target.Rule}" },
            $"{setting.Name} is {setting.Value} {where}: {setting.Why}")
        {
            SeverityOverride = setting.Severity,
            Hint = setting.Remedy,
            Facts = new Dictionary<string, string> { ["setting"] = setting.Name, ["value"] = setting.Value, ["where"] = where },
        };

    private static Verdict Checksums(Patient patient) => patient.Can.DataChecksums switch
    {
        true => Verdict.Sound.Instance,
        null => new Verdict.Unchecked("whether data checksums are on cannot be told"),
        _ => new Verdict.Damaged(new Finding(Faults.ChecksumsOff, Place(patient) with { Kind = TargetKind.Setting,
            Rule = "data_checksums" },
            "data checksums are off: a page that the disk has changed looks like any other")
        {
            Hint = "stop the server (every server of a physical group) and run kintsugi checksums verify -D DIR --enable, or "
                + "pg_checksums --enable",
        }),
    };

    private static Portion Part(Patient patient, string rule) => new(Place(patient) with { Rule = rule });

    private static Target Place(Patient patient) => new() { Server = patient.Can.SystemIdentifier, Kind = TargetKind.Server };
}
