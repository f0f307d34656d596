using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>One table against all of its indexes: look, look again, accuse.</summary>
internal sealed class TableEntries(
    Located heap, IReadOnlyList<Located> indexes, IReadOnlyList<IPageView> views, Patient patient, Portion portion)
{
    /// <summary>A partial index leaves rows out by right: each is asked for at the server. More than this only at depth deep.</summary>
    private const int MostAsked = 200_000;

    private readonly bool checksums = patient.Can.DataChecksums != false && !views[0].IsLocked;
    private readonly Suspicions suspicions = new();

    /// <summary>Why part of it could not be judged.</summary>
    public List<string> Doubts { get; } = [];

    public async ValueTask<IReadOnlyList<Finding>> Run(CancellationToken cancellationToken)
    {
        var end = await views[0].Blocks(heap, cancellationToken);
        if (await views[0].Now(cancellationToken) is not { } moment)
        {
            Doubts.Add("the control file cannot be read, so it is not known how far the files are written");
            return [];
        }
        var candidates = new Dictionary<Located, List<MissingEntry>>();
        var first = 0L;
        do
        {
            var window = await Window(first, end, moment, cancellationToken);
            foreach (var index in indexes)
            {
                await new IndexLook(views[0], index, checksums, !patient.Can.InRecovery).Run(window, end, first == 0, suspicions, cancellationToken);
                if (index.Relation.AccessMethod != "brin" && !suspicions.IsBroken(index))
                    await Gather(index, window.Missing(), moment, candidates, cancellationToken);
            }
            first += window.Blocks;
        }
        while (first < end);
        return await LookAgain(end, candidates, moment, cancellationToken);
    }

    /// <summary>The first look alone, at a table of one stretch.</summary>
    /// <returns>Whether there is nothing that would have to be looked at again, or asked of the server.</returns>
    public async ValueTask<bool> IsClean(Moment moment, CancellationToken cancellationToken)
    {
        var end = await views[0].Blocks(heap, cancellationToken);
        var window = await Window(0, end, moment, cancellationToken);
        if (window.Blocks < end)
            return false;
        foreach (var index in indexes)
        {
            await new IndexLook(views[0], index, checksums, !patient.Can.InRecovery).Run(window, end, isFirst: true, suspicions, cancellationToken);
            if (!suspicions.None || (index.Relation.AccessMethod != "brin" && window.Missing().Any()))
                return false;
        }
        return true;
    }

    private async ValueTask<HeapWindow> Window(long first, long end, Moment moment, CancellationToken cancellationToken)
    {
        var window = new HeapWindow(first, end);
        using var buffer = PageBuffer.For(end - first);
        while (first + window.Blocks < end && !window.IsFull)
        {
            var block = first + window.Blocks;
            var read = await views[0].Read(heap, block, buffer.Bytes, cancellationToken);
            if (read == 0)
                break;
            for (var i = 0; i < read && block + i < end && !window.IsFull; i++)
                window.Add(buffer.Page(i), Believed(buffer.Page(i), block + i), moment.EndedBefore);
        }
        while (first + window.Blocks < end && !window.IsFull)
            window.AddMissing();
        return window;
    }

    private bool Believed(ReadOnlySpan<byte> page, long block) =>
        PageHeader.Read(page).IsNew || !checksums || patient.Can.DataChecksums is null || PageChecksum.Matches(page, (uint)block);

    /// <summary>Rows without an entry. Where the index leaves rows out by right, the server says first which of them it should have.</summary>
    private async ValueTask Gather(
        Located index, IEnumerable<Tid> missing, Moment moment, Dictionary<Located, List<MissingEntry>> candidates,
        CancellationToken cancellationToken)
    {
        if (!candidates.TryGetValue(index, out var list))
            candidates.Add(index, list = []);
        var entries = missing.Select(root => new MissingEntry(index, root));
        if (!index.Relation.Index!.HasPredicate && index.Relation.AccessMethod != "hash")
        {
            list.AddRange(entries.Take(Suspicions.Most - list.Count));
            return;
        }
        var jury = new MissingJury(views, heap, patient, checksums);
        var asked = 0;
        foreach (var batch in entries.Chunk(Suspicions.Most))
        {
            if (list.Count >= Suspicions.Most)
                return;
            if (portion.Depth < Depth.Deep && (asked += batch.Length) > MostAsked)
            {
                Doubts.Add($"{index.Relation.Name} leaves out many rows by right; whether all of them is asked at depth deep");
                return;
            }
            list.AddRange(await jury.Alive(index, batch, moment.EndedBefore, cancellationToken));
        }
    }

    private async ValueTask<IReadOnlyList<Finding>> LookAgain(
        long end, Dictionary<Located, List<MissingEntry>> candidates, Moment moment, CancellationToken cancellationToken)
    {
        var jury = new EntryJury(views, heap, checksums);
        var (broken, restless) = await jury.Structure(suspicions.Structure, cancellationToken);
        var (entries, open) = await jury.Entries(suspicions.Entries, cancellationToken);
        open = await new Alibi(heap, patient).Check(open, cancellationToken);
        var accusation = new Accusation(heap, portion.Target, Target, [.. indexes.Where(HoldsEveryRow)]);
        accusation.OfStructure(broken);
        accusation.OfDoubles([.. entries.Where(entry => entry.Fault == SlotFault.None)]);
        await accusation.OfLostRows([.. entries.Where(entry => entry.Fault != SlotFault.None)],
            async block => await new PageDesk(views[0], moment, checksums: false).Page(heap, block, cancellationToken), end);
        foreach (var (index, missing) in candidates.Where(pair => pair.Value.Count > 0))
        {
            var (guilty, doubt) = await new MissingJury(views, heap, patient, checksums).Judge(index, missing, moment.EndedBefore, cancellationToken);
            if (guilty.Count > 0)
                accusation.OfMissing(index, guilty);
            if (doubt is not null)
                Doubts.Add($"{index.Relation.Name}: {doubt}");
        }
        if (restless.Count > 0)
            Doubts.Add($"{restless[0].Index.Relation.Name}: page {restless[0].Page} was being written at every look");
        if (open.Count > 0)
            Doubts.Add($"{open.Count} entries of {open[0].Index.Relation.Name} and others lead to places that were changed since the last "
                + "checkpoint, and their rows are not on disk yet: look again after the next one");
        return accusation.Findings;
    }

    private Target Target(Located index) => index.Relation.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database);

    private static bool HoldsEveryRow(Located index) =>
        !index.Relation.Index!.HasPredicate && index.Relation.AccessMethod is "btree" or "gin" or "gist" or "spgist";
}
