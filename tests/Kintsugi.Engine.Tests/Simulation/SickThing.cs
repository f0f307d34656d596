namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>What is sick in the simulated patient, and how its kind is mended.</summary>
/// <param name="Check">The check that accuses it.</param>
/// <param name="Grade">Of its repair.</param>
/// <param name="Snapshot">What its plan has to be preceded by.</param>
/// <param name="StepKind">In the plan's steps.</param>
internal sealed record Ailment(string Check, FaultClass Fault, Grade Grade, SnapshotGrade Snapshot, string StepKind)
{
    public static IReadOnlyList<Ailment> All { get; } =
    [
        new("index", Faults.IndexCorrupt, Grade.Lossless, SnapshotGrade.Relation, "rebuild-index"),
        new("orphans", Faults.RowOrphaned, Grade.Reversible, SnapshotGrade.Rows, "row-batch"),
        new("pages", Faults.PageChecksum, Grade.Lossless, SnapshotGrade.Relation, "write-pages"),
        new("catalog", Faults.CatalogInconsistent, Grade.Lossless, SnapshotGrade.Cluster, "catalog-edit"),
        new("heap", Faults.HeapCorrupt, Grade.Lossy, SnapshotGrade.Cluster, "sql"),
        new("triggers", Faults.ConstraintUnenforced, Grade.Lossless, SnapshotGrade.None, "sql"),
    ];
}

/// <summary>One object of the patient. Each of its units is mended by one step.</summary>
internal sealed class SickThing(string name, Ailment ailment)
{
    public string Name { get; } = name;
    public Ailment Ailment { get; } = ailment;

    /// <summary>Units that are sick now; an orphaned row is a unit.</summary>
    public SortedSet<int> Sick { get; } = [];

    /// <summary>Tokens of steps that left something behind.</summary>
    public HashSet<string> Debris { get; } = [];

    /// <summary>Rows, by unit, in the table and in quarantine: each has to be in exactly one place.</summary>
    public List<int> Table { get; } = [];
    public List<int> Quarantine { get; } = [];

    /// <summary>Tokens whose batch was committed: what the audit log of a real patient tells.</summary>
    public HashSet<string> Committed { get; } = [];
    public bool Dropped { get; set; }
    public int NextUnit { get; set; }

    /// <summary>What its check said last, and whether a repair has written since.</summary>
    public Verdict? LastVerdict { get; set; }
    public bool WrittenSinceLook { get; set; }

    public Target Target => new()
    {
        Server = World.Server, Database = "app", Schema = "public", Relation = Name, ObjectSchema = "public", Object = Name,
        Kind = Ailment.Check == "index" ? TargetKind.Index : TargetKind.Table,
    };

    public Finding Finding => new(Ailment.Fault, Target, $"units {string.Join(",", Sick)} are sick") { Check = Ailment.Check, Rows = Sick.Count };

    public void Fall(int units)
    {
        for (var i = 0; i < units; i++)
        {
            Sick.Add(NextUnit);
            Table.Add(NextUnit++);
        }
    }

    /// <summary>The deed of a step; doing it again changes nothing.</summary>
    /// <returns>Whether a row moved.</returns>
    public bool Mend(int unit)
    {
        WrittenSinceLook = true;
        if (!Sick.Remove(unit) || Ailment.StepKind != "row-batch")
            return false;
        Table.Remove(unit);
        Quarantine.Add(unit);
        return true;
    }
}
