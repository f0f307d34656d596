using System.Globalization;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>What stands against writing pages of a table, and the plan that writes those which can be mended.</summary>
internal static class PagePlan
{
    public const string OnlyHere = "Only the page on this server is written: a standby has its own, and is checked by itself.";

    /// <summary>More pages at once are no accident of single ones any more.</summary>
    public const int MostPages = 64;

    /// <summary>The damaged blocks of a table that <see cref="Table"/> has named.</summary>
    public static List<long> Blocks(HealingCase healing) => [.. healing.Findings.Select(finding => finding.Target.Block!.Value).Distinct().Order()];

    /// <summary>The table whose main fork all findings are about; null where they are about anything else.</summary>
    public static Relation? Table(HealingCase healing, Patient patient) =>
        healing.Findings.All(finding => finding.Target.Block is not null && finding.Target.Fork is null or Forks.Main)
        && healing.Findings.Select(finding => (finding.Target.ObjectSchema, finding.Target.Object)).Distinct().Count() == 1
        && patient.Relations.Find(healing.Target.ObjectSchema ?? healing.Target.Schema, healing.Target.Object ?? healing.Target.Relation)
            is { HasHeap: true, Path: not null } table ? table : null;

    /// <summary>The sequence that all findings are about: it has one page, so that they need not name it.</summary>
    public static Relation? Sequence(HealingCase healing, Patient patient) =>
        healing.Findings.All(finding => finding.Target.Fork is null or Forks.Main)
        && healing.Findings.Select(finding => (finding.Target.ObjectSchema, finding.Target.Object)).Distinct().Count() == 1
        && patient.Relations.Find(healing.Target.ObjectSchema, healing.Target.Object) is { Kind: 'S', Path: not null } sequence ? sequence : null;

    public static string? Obstacle(HealingCase healing, Relation table, Patient patient)
    {
        if (table.Kind == 'm')
            return $"a materialized view is derived: REFRESH MATERIALIZED VIEW {Quote.Name(table)} writes it anew";
        if (table.IsCatalog || table.IsShared)
            return "a page of a system catalog is not written under a running server: stop it and restore the page, with a snapshot of the cluster first";
        if (!patient.Can.Superuser || patient.Can.InRecovery)
            return "to write pages a superuser of the primary is needed";
        if (BufferEviction.Lack(patient.Can) is { } lack)
            return $"the server lacks the contrib module {lack}, which makes it forget a damaged page: install the contrib package";
        if (patient.Can.Major < 17 && BufferEviction.Room(patient.Can) > BufferEviction.MostBytes)
            return "before 17 all of shared_buffers has to make room for one page, and there is more than 2 GB of it here: upgrade, or mend it in a restart";
        return healing.Obstacle(Faults.CatalogInconsistent, Faults.TransactionStatusMissing, Faults.FileTruncated, Faults.FileMissing) is { } sick
            ? $"{sick.Fault.Id} is open on {sick.Target.Name}: it comes first" : null;
    }

    public static Plan Of(string repair, HealingCase healing, Relation table, Patient patient, PageWard ward) =>
        Of(repair, healing, table, patient, ward.Mended, ward.Rows, ward.Approval);

    public static Plan Of(
        string repair, HealingCase healing, Relation table, Patient patient, IReadOnlyList<MendedPage> mended, long rows, string? approval)
    {
        var all = mended.SelectMany(page => page.Corrections).ToList();
        return Of(repair, healing, table, patient, [.. mended.Select(page => page.Change)], string.Join("; ", mended.Select(page => page.Sentence)),
            all.Exists(correction => correction.Basis == Basis.Testimony) ? Grade.Reversible : Grade.Lossless, rows) with
        {
            NeedsApproval = approval,
            Warnings = [.. all.SelectMany(correction => correction.Witnesses).Select(witness => witness.Because).Distinct(), OnlyHere],
        };
    }

    /// <param name="words">What becomes of each page.</param>
    public static Plan Of(
        string repair, HealingCase healing, Relation table, Patient patient, IReadOnlyList<PageChange> changes, string words, Grade grade, long rows)
    {
        var owner = table.IsToast ? patient.Relations.Find(table.TableOid)! : table;
        var step = new Step(WritePagesStep.Name, $"{Quote.Name(table)}: {words}")
        {
            Database = healing.Database,
            Lock = "AccessExclusive",
            Grade = grade,
            Why = "the table is locked while the server forgets its copies of the pages and reads the mended ones back; that is not waited for longer than "
                + "2 seconds, and held for well under a second (before 17: until all of shared_buffers was read over)",
            Arguments = new Dictionary<string, string>
            {
                ["relation"] = Quote.Name(table),
                ["table"] = Quote.Name(owner),
                ["path"] = table.Path!,
                ["rows"] = rows.ToString(CultureInfo.InvariantCulture),
                ["pages"] = PageChange.Write(changes),
            },
        };
        // LOCK TABLE knows no sequences; nothing is changed by this, and every other use of it waits.
        if (table.Kind == 'S')
            step = step with { Arguments = new Dictionary<string, string>(step.Arguments) { [WritePagesStep.HoldArgument] = $"ALTER SEQUENCE {Quote.Name(table)} OWNER TO {Quote.Identifier(table.Owner)}" } };
        return new Plan(repair, [step])
        {
            Case = healing.Id,
            Alters = [table.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database)],
            Snapshot = SnapshotGrade.Relation,
            RowsChanged = rows,
            TableRows = table.Rows,
            DiskBytes = patient.Can.Major < 17 ? BufferEviction.Room(patient.Can) : 0,
            // Before 17 the table stays locked until all of shared_buffers was read over, and the server's cache is cold after.
            NeedsWindow = patient.Can.Major < 17,
            Warnings = [OnlyHere],
        };
    }
}
