using Kintsugi.Pages;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Pages;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>
/// Where an index or a generated column contradicts a row, the row may be what is damaged: to rebuild the one or compute the other anew would seal
/// that, and destroy the last witnesses of what was there. So this comes first: the bytes that the witnesses agree on are put back on the row's page.
/// </summary>
public sealed class RestoreValueRepair(TimeProvider clock) : IRepair
{
    /// <summary>More rows at once are no accident of single bytes: an index that is older than its table, an expression that has changed.</summary>
    private const int MostRows = 20;

    public string Id => "restore-value";
    public string Does => "puts back bytes of a value that generated columns and index entries agree on";
    public IReadOnlyList<FaultClass> Mends => [Faults.IndexCorrupt, Faults.GeneratedStale];
    public Grade Grade => Grade.Reversible;

    // Most indexes are wrong themselves.
    public bool IsUsual => false;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var generated = healing.Fault == Faults.GeneratedStale;
        var (accused, refusal) = generated ? AccusedTable.Of(healing, patient) : default;
        if (refusal is not null)
            return refusal;
        var index = generated || healing.Findings.Select(finding => finding.Target.Name).Distinct().Skip(1).Any()
            ? null : patient.Relations.Find(healing.Target.ObjectSchema, healing.Target.Object);
        var table = generated ? accused!.Table : index is { AccessMethod: "btree", IsCatalog: false } ? patient.Relations.Find(index.HeapOid) : null;
        if (table is not { Kind: 'r' or 't', Path: not null })
            return new Proposal.Refused("only for ordinary tables, their large values, and the btrees of both");
        if (PagePlan.Obstacle(healing, table, patient) is { } obstacle)
            return new Proposal.Refused(obstacle);
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        var view = (IPageView?)BufferView.Of(patient) ?? (bytes is null ? null : new FileView(bytes, patient, clock));
        if (bytes is null || view is null)
            return new Proposal.Refused("its pages cannot be read");
        var roots = new RowRoots(new Located(table, table.Path), view);
        var indexes = await IndexTestimony.Of(table, patient, cancellationToken);
        try
        {
            var (places, suspects, why, isFinal) = generated
                ? await Stale(accused!, patient, cancellationToken)
                : await Contradicted(healing, index!, table, indexes, roots, view, patient, cancellationToken);
            if (why is not null)
                return new Proposal.Refused(why, isFinal);
            if (table.IsToast)
            {
                var chunks = new ChunkKeys(table, indexes.First(one => one.Index.Oid == index!.Oid), roots, view, patient);
                return await chunks.Doubt(places, cancellationToken) is { } doubt ? doubt
                    : await Propose(healing, table, places, (page, place) => ValueTask.FromResult(chunks.Settle(page, place)), bytes, patient, cancellationToken);
            }
            if (await StoredColumn.Of(table, patient.Session, cancellationToken) is not { } columns)
                return new Proposal.Refused("the definition of its columns could not be read");
            var surgeon = new ValueSurgeon(table, columns, indexes, roots, view, patient);
            return await Propose(healing, table, places, (page, place) => surgeon.Settle(page, place, suspects, cancellationToken), bytes, patient, cancellationToken);
        }
        catch (IOException failed)
        {
            return new Proposal.Refused($"its files could not be read: {failed.Message}");
        }
    }

    private static async ValueTask<(IReadOnlyList<string> Places, IReadOnlyCollection<string> Suspects, string? Why, bool IsFinal)> Stale(
        AccusedTable accused, Patient patient, CancellationToken cancellationToken)
    {
        if (accused.Violation is not { } violation || RowGround.Says(accused.Finding, FactNames.Spread, "mass"))
            return ([], [], "most rows disagree: the expression has changed", false);
        var row = Quote.Identifier(accused.Table.Name);
        var places = await patient.Session.InTransaction(Evidence.Settings(accused.Role), session => session.Rows(
            $"SELECT {row}.ctid::pg_catalog.text FROM ONLY {Quote.Name(accused.Table)} WHERE ({violation}) LIMIT {MostRows + 1}", found => found.GetString(0),
            cancellationToken), cancellationToken);
        return (places, RowGround.List(accused.Finding, FactNames.BaseColumns), Count(places), false);
    }

    private static async ValueTask<(IReadOnlyList<string> Places, IReadOnlyCollection<string> Suspects, string? Why, bool IsFinal)> Contradicted(
        HealingCase healing, Relation index, Relation table, IReadOnlyList<IndexTestimony> indexes, RowRoots roots, IPageView view, Patient patient,
        CancellationToken cancellationToken)
    {
        if (indexes.FirstOrDefault(one => one.Index.Oid == index.Oid) is not { } testimony)
            return ([], [], "its keys are of types whose bytes are not compared, or it is too large", false);
        if (!ContradictedRows.FoundOrder(healing.Findings) && await BTreeCheck.Disorder(index, patient, cancellationToken) is { } disorder)
            return ([], [], $"it is no witness: {disorder}", false);
        var rows = new ContradictedRows(table, testimony, roots, view, patient);
        var places = await rows.Find(healing.Findings, cancellationToken);
        if (places is null)
            return ([], [], "it is no witness: a page of it cannot be read", false);
        if (places.Count > MostRows && await new ForeignPages(table, testimony, roots, view, patient).Doubt(rows, places, cancellationToken) is { } foreign)
            return ([], [], foreign, true);
        // A rebuild takes large values away whose chunks are whole.
        return (places, testimony.Reads.ToList(), Count(places), table.IsToast && places.Count > MostRows);
    }

    private static string? Count(IReadOnlyList<string> places) => places.Count switch
    {
        0 => "no row has another value than is stored elsewhere for it",
        > MostRows => $"more than {MostRows} rows differ from what is stored elsewhere: no accident of single bytes",
        _ => null,
    };

    private async ValueTask<Proposal> Propose(
        HealingCase healing, Relation table, IReadOnlyList<string> places, Func<byte[], string, ValueTask<ValueVerdict>> settle, IByteSource bytes,
        Patient patient, CancellationToken cancellationToken)
    {
        if (await HeapReading.Begin(table, bytes, patient, clock, cancellationToken) is not { } reading)
            return new Proposal.Refused("its table is gone");
        var mended = new List<MendedPage>();
        foreach (var block in places.GroupBy(place => (long)Tid.Parse(place).Block))
        {
            if (await reading.SoundPage(block.Key, cancellationToken) is not { } page)
                return new Proposal.Refused($"block {block.Key} is being written, or its checksum is wrong");
            var corrections = new List<Correction>();
            foreach (var place in block)
            {
                var verdict = await settle(page, place);
                if (verdict.Correction is not { } correction)
                    // The index is then one of the witnesses of a row that is damaged, though how is not known: it must not be rebuilt.
                    return new Proposal.Refused(verdict.Why!, Final: verdict.Doubt && healing.Fault == Faults.IndexCorrupt);
                corrections.Add(correction);
            }
            mended.Add(MendedPage.Of(block.Key, page, corrections, patient));
        }
        var guess = mended.SelectMany(page => page.Corrections).FirstOrDefault(correction => correction.NeedsApproval);
        return new Proposal.Planned(PagePlan.Of(Id, healing, table, patient, mended, places.Count, guess is null ? null
            : $"only index entries say that {guess.What}; if it is the index that is wrong, REINDEX INDEX CONCURRENTLY it instead"));
    }
}
